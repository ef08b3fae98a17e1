output "servers" {
  description = "Names of the servers."
  value       = terraform_data.server[*].output.name
}

output "release" {
  description = "What runs now."
  value       = terraform_data.release.output.version
}

output "login" {
  description = "How the application logs in."
  value       = terraform_data.login.output
  sensitive   = true
}
