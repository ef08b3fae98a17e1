variable "team" { type = string }
variable "members" { type = set(string) }
variable "services" { type = map(list(string)) }

resource "terraform_data" "group" {
  input = { name = var.team }
}

resource "terraform_data" "member" {
  for_each = var.members
  input    = { group = terraform_data.group.id, name = each.key }
}

# A key is exchanged each quarter, and tells when it has to be.
resource "time_rotating" "key" {
  for_each      = var.members
  rotation_days = 90
}

resource "terraform_data" "key" {
  for_each         = var.members
  triggers_replace = [time_rotating.key[each.key].id]
  input            = { owner = terraform_data.member[each.key].id, expires = time_rotating.key[each.key].rotation_rfc3339 }
}

resource "terraform_data" "role" {
  for_each = var.services
  input    = { group = terraform_data.group.id, may = ["read", "restart", "release"], on = each.value }
}
