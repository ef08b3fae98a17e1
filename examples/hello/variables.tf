variable "project" {
  description = "Begins the names of everything."
  type        = string
  default     = "hello"
}

variable "servers" {
  description = "How many servers there are."
  type        = number
  default     = 2

  validation {
    condition     = var.servers >= 1 && var.servers <= 20
    error_message = "Between 1 and 20 servers."
  }
}

variable "release" {
  description = "What is rolled out; another value rolls out again."
  type        = string
}

variable "password" {
  description = "Of the application's login."
  type        = string
  sensitive   = true
}
