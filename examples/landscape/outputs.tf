output "addresses" {
  description = "Where each public service answers."
  value       = { for key, service in module.service : key => service.address if service.is_public }
}

output "releases" {
  description = "What runs now, by region and service."
  value       = { for key, service in module.service : key => service.release }
}

output "nodes" {
  description = "How many machines each region has."
  value       = { for region, cluster in module.cluster : region => length(cluster.nodes) }
}

output "databases" {
  description = "How each database is reached."
  value       = { for key, database in module.database : key => database.connection }
  sensitive   = true
}
