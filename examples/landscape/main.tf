# What a team keeps in one workspace: networks, clusters, databases and services in two regions, and who may touch them.
# No cloud is needed: terraform_data stands for what a cloud would make, the provider `time` for what takes or has time.

module "network" {
  source   = "./modules/network"
  for_each = var.regions

  name  = "${var.company}-${each.key}"
  range = each.value.range
  zones = each.value.zones
}

module "cluster" {
  source   = "./modules/cluster"
  for_each = var.regions

  name    = "${var.company}-${each.key}"
  subnets = module.network[each.key].subnets.private
  groups  = var.node_groups
}

module "database" {
  source   = "./modules/database"
  for_each = local.databases

  name         = "${var.company}-${each.value.region}-${each.value.name}"
  engine       = var.databases[each.value.name].version
  replicas     = var.databases[each.value.name].replicas
  backup_days  = var.databases[each.value.name].backup_days
  schema_users = var.databases[each.value.name].schema_users
  subnets      = module.network[each.value.region].subnets.data
  password     = var.database_password
}

module "service" {
  source   = "./modules/service"
  for_each = local.services

  name     = each.value.name
  cluster  = module.cluster[each.value.region].name
  zone     = "${each.value.region}.${var.company}.example"
  service  = var.services[each.value.name]
  database = each.value.database == null ? null : module.database[each.value.database].address
}

module "access" {
  source   = "./modules/access"
  for_each = var.teams

  team     = each.key
  members  = each.value.members
  services = { for name in each.value.services : name => [for region in keys(var.regions) : "${region}/${name}"] }
}

locals {
  databases = {
    for pair in setproduct(keys(var.regions), keys(var.databases)) :
    join("/", pair) => { region = pair[0], name = pair[1] }
  }

  services = {
    for pair in setproduct(keys(var.regions), keys(var.services)) : join("/", pair) => {
      region   = pair[0]
      name     = pair[1]
      database = var.services[pair[1]].database == null ? null : "${pair[0]}/${var.services[pair[1]].database}"
    }
  }
}
