# A small landscape without any cloud: terraform_data is built into Terraform (1.4 and later) and into OpenTofu.

terraform {
  required_version = ">= 1.4"
}

resource "terraform_data" "network" {
  input = { name = "${var.project}-network", range = "10.20.0.0/16" }
}

resource "terraform_data" "server" {
  count = var.servers
  input = { name = "${var.project}-server-${count.index + 1}", network = terraform_data.network.output.name }
}

resource "terraform_data" "release" {
  triggers_replace = [var.release]
  input            = { version = var.release, servers = terraform_data.server[*].output.name }

  provisioner "local-exec" {
    command = "echo 'Rolling out ${var.release} ...'; sleep 4; echo 'Rolled out.'"
  }
}

resource "terraform_data" "login" {
  input = { user = "app", password = var.password }
}
