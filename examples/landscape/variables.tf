variable "company" {
  description = "Begins the names of everything."
  type        = string
  default     = "acme"
}

variable "regions" {
  description = "Where the landscape is: address range and zones of each region."
  type = map(object({
    range = string
    zones = list(string)
  }))
}

variable "node_groups" {
  description = "The machines of each region's cluster: size and number by group."
  type = map(object({
    size  = string
    count = number
  }))
}

variable "databases" {
  description = "What each region stores: version, replicas, days that a backup is kept."
  type = map(object({
    version      = string
    replicas     = optional(number, 1)
    backup_days  = optional(number, 14)
    schema_users = list(string)
  }))
}

variable "services" {
  description = "What runs in every region."
  type = map(object({
    release  = string
    replicas = optional(number, 2)
    port     = optional(number, 8080)
    database = optional(string)
    public   = optional(bool, false)
    settings = optional(map(string), {})
  }))
}

variable "teams" {
  description = "Who may do what: members and the services they look after."
  type = map(object({
    members  = list(string)
    services = list(string)
  }))
}

variable "database_password" {
  description = "First password of every database."
  type        = string
  sensitive   = true
}
