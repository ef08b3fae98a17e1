variable "name" { type = string }
variable "engine" { type = string }
variable "replicas" { type = number }
variable "backup_days" { type = number }
variable "schema_users" { type = set(string) }
variable "subnets" { type = map(string) }

variable "password" {
  type      = string
  sensitive = true
}

resource "time_static" "created" {}

# Certificates are exchanged well before a year is over.
resource "time_rotating" "certificate" {
  rotation_days = 300
}

resource "time_offset" "first_backup_expires" {
  base_rfc3339 = time_static.created.rfc3339
  offset_days  = var.backup_days
}

resource "terraform_data" "primary" {
  triggers_replace = [var.engine]
  input = {
    name        = var.name
    subnet      = values(var.subnets)[0]
    certificate = time_rotating.certificate.id
  }
}

resource "terraform_data" "replica" {
  count = var.replicas
  input = {
    name   = "${var.name}-replica-${count.index + 1}"
    of     = terraform_data.primary.id
    subnet = values(var.subnets)[(count.index + 1) % length(var.subnets)]
  }
}

resource "terraform_data" "user" {
  for_each = var.schema_users
  input    = { database = terraform_data.primary.id, name = each.key, password = var.password }
}

resource "terraform_data" "backup_plan" {
  input = {
    database = terraform_data.primary.id
    days     = var.backup_days
    first    = time_offset.first_backup_expires.rfc3339
  }
}

output "address" {
  value = "${terraform_data.primary.output.name}.db.internal:5432"
}

output "connection" {
  value     = { address = "${terraform_data.primary.output.name}.db.internal:5432", password = var.password }
  sensitive = true
}
