variable "name" { type = string }
variable "subnets" { type = map(string) }
variable "groups" { type = map(object({ size = string, count = number })) }

locals {
  zones = keys(var.subnets)
  nodes = merge([
    for group, facts in var.groups : {
      for number in range(facts.count) :
      "${group}-${number + 1}" => { group = group, zone = local.zones[number % length(local.zones)] }
    }
  ]...)
}

resource "time_static" "created" {}

resource "terraform_data" "control_plane" {
  input = { name = var.name, zones = local.zones, created = time_static.created.rfc3339 }
}

# A control plane answers before it is ready for machines.
resource "time_sleep" "settled" {
  create_duration = "1s"
  triggers        = { control_plane = terraform_data.control_plane.id }
}

resource "terraform_data" "node_group" {
  for_each = var.groups
  input    = { cluster = time_sleep.settled.triggers.control_plane, size = each.value.size }
}

resource "terraform_data" "node" {
  for_each = local.nodes
  input = {
    name   = "${var.name}-${each.key}"
    group  = terraform_data.node_group[each.value.group].id
    subnet = var.subnets[each.value.zone]
  }
}

output "name" {
  description = "Known once there is a machine in it."
  value       = terraform_data.control_plane.output.name
  depends_on  = [terraform_data.node]
}

output "nodes" {
  value = sort([for node in terraform_data.node : node.output.name])
}
