variable "name" { type = string }
variable "cluster" { type = string }
variable "zone" { type = string }

variable "database" {
  type    = string
  default = null
}

variable "service" {
  type = object({
    release  = string
    replicas = number
    port     = number
    database = optional(string)
    public   = bool
    settings = map(string)
  })
}

locals {
  alerts = {
    latency    = "p99 above 400 ms for 10 min"
    errors     = "more than 1 % of answers are 5xx for 5 min"
    saturation = "processor above 85 % for 15 min"
    absence    = "fewer than ${var.service.replicas} replicas for 5 min"
  }
  settings = merge(var.service.settings, { PORT = tostring(var.service.port) }, var.database == null ? {} : { DATABASE = var.database })
}

# When this release came here: a new one has a new time.
resource "time_static" "released" {
  triggers = { release = var.service.release }
}

resource "terraform_data" "settings" {
  input = local.settings
}

resource "terraform_data" "deployment" {
  input = {
    name     = var.name
    cluster  = var.cluster
    release  = time_static.released.triggers.release
    replicas = var.service.replicas
    settings = terraform_data.settings.id
  }
}

resource "terraform_data" "endpoint" {
  input = { deployment = terraform_data.deployment.id, port = var.service.port }
}

resource "terraform_data" "record" {
  count = var.service.public ? 1 : 0
  input = { name = "${var.name}.${var.zone}", target = terraform_data.endpoint.id }
}

resource "terraform_data" "alert" {
  for_each = local.alerts
  input    = { service = var.name, cluster = var.cluster, when = each.value }
}

resource "terraform_data" "dashboard" {
  input = { title = "${var.name} in ${var.cluster}", alerts = sort(keys(terraform_data.alert)) }
}

output "release" {
  value = terraform_data.deployment.output.release
}

output "is_public" {
  value = var.service.public
}

output "address" {
  value = var.service.public ? "https://${terraform_data.record[0].output.name}" : null
}
