variable "name" { type = string }
variable "range" { type = string }
variable "zones" { type = list(string) }

locals {
  # One range of the network for each tier, one part of that for each zone.
  tiers = { public = 0, private = 1, data = 2 }
  subnets = {
    for pair in setproduct(keys(local.tiers), var.zones) : join("/", pair) => {
      tier  = pair[0]
      zone  = pair[1]
      range = cidrsubnet(cidrsubnet(var.range, 4, local.tiers[pair[0]]), 4, index(var.zones, pair[1]))
    }
  }
  # Who may talk to whom; everything else may not.
  flows = {
    internet-to-public = { from = "0.0.0.0/0", to = "public", ports = [443] }
    public-to-private  = { from = "public", to = "private", ports = [8080, 8443] }
    private-to-data    = { from = "private", to = "data", ports = [5432] }
  }
}

resource "terraform_data" "network" {
  input = { name = var.name, range = var.range }
}

resource "terraform_data" "subnet" {
  for_each = local.subnets
  input    = merge(each.value, { name = "${var.name}-${each.value.tier}-${each.value.zone}", network = terraform_data.network.id })
}

resource "terraform_data" "gateway" {
  for_each = toset(var.zones)
  input    = { zone = each.key, subnet = terraform_data.subnet["public/${each.key}"].id }
}

resource "terraform_data" "routes" {
  for_each = toset(var.zones)
  input    = { subnet = terraform_data.subnet["private/${each.key}"].id, default = terraform_data.gateway[each.key].id }
}

resource "terraform_data" "firewall_rule" {
  for_each = local.flows
  input    = merge(each.value, { network = terraform_data.network.id })
}

output "subnets" {
  description = "Ids by tier and zone."
  value = {
    for tier in keys(local.tiers) :
    tier => { for zone in var.zones : zone => terraform_data.subnet["${tier}/${zone}"].id }
  }
}
