"""Texts that terraform 1.11 takes (`terraform fmt` says so), written to use what the language has."""

VALID = {
    "everything": """terraform {
  required_version = ">= 1.5"
  required_providers {
    null = { source = "hashicorp/null", version = "~> 3.0" }
  }
}
# comment
// other
/* block
comment */
variable "a" {
  type    = object({ x = optional(string, "y"), z = list(number) })
  default = { z = [1, 2] }
  validation {
    condition     = length(var.a.z) > 0 && !contains(var.a.z, -1)
    error_message = "bad ${var.a.x}"
  }
  ephemeral = true
}
locals {
  m = { for k, v in { a = 1, "b" = 2 } : k => v if v > 1 }
  l = [for x in [1, 2, 3] : x * 2]
  g = { for s in ["a", "b"] : substr(s, 0, 1) => s... }
  h = <<-EOT
    hello ${local.l[0]}
    %{ for i in local.l ~}
    item ${i}
    %{ endfor ~}
    %{ if true }yes%{ else }no%{ endif } "unbalanced { ( [
  EOT
  raw    = "$${x} %%{y} 100% $5 \\\\ \\" \\u00e9"
  cond   = true ? "a" : false ? "b" : "c"
  splat  = values(local.m)[*]
  legacy = local.l.0
  fn     = provider::terraform::encode_tfvars({ a = 1 })
  nested = "a ${"b ${"c"}"}"
  obj = {
    a = 1
    b : 2,
    (local.l[0])  = 3
    "quoted-key"  = 4
  }
  exp   = max(local.l...)
  big   = 1e10
  multi = (
    1 +
    2
  )
}
moved {
  from = terraform_data.a
  to   = terraform_data.b
}
import {
  to = terraform_data.b
  id = "x"
}
check "health" {
  assert {
    condition     = true
    error_message = "x"
  }
}
removed {
  from = terraform_data.old
  lifecycle { destroy = false }
}
resource "terraform_data" "b" {
  for_each = toset(["a"])
  input    = each.value
  provisioner "local-exec" {
    when    = destroy
    command = "echo \\"${self.input}\\" && true"
  }
}
ephemeral "random_password" "p" { length = 10 }
""",
    "a byte order mark": "\ufeffx = 1\n",
    "names beyond ASCII": "locals {\n  größe = 1\n}\n",
    "strip markers": 'x = "${~ a ~} b"\n',
    "a comment between words": "x = /* a */ 1\n",
    "a comment over lines": "x = {\n  a /* b\n  c */ = 1\n}\n",
    "a line end in a template": 'x = "${a\n.b}"\n',
    "a line end before an index": "x = f(a\n[0]\n.b)\n",
    "a function with one namespace": "x = provider::f(1)\n",
    "carriage returns": "x = 1\r\ny = <<EOT\r\na\r\nEOT\r\n",
    "no line end": "x = 1",
    "nothing": "",
    "only a comment": "# nothing",
    "a block on one line": 'variable "x" { type = string }\n',
    "labels without quotes": "resource foo bar {\n}\n",
    "a heredoc as an argument": "x = trim(<<EOT\nabc\nEOT\n)\n",
    "dollars at the end": 'x = "a$"\ny = "b%"\nz = "$$"\n',
}

BROKEN = {
    "a block that is not closed": 'resource "a" "b" {\n',
    "a text that is not closed": 'x = "abc\n',
    "two equal signs": "x = = 1\n",
    "no comma": "x = [1 2]\n",
    "a bracket of another kind": "x = (1]\n",
    "a heredoc without an end": "x = <<EOT\nabc\n",
    "a comment without an end": "/* abc\n",
    "a bracket too many": "x = 1\n}\n",
    "prose": "this is no configuration\n",
    "a template that is not closed": 'x = "${a"\n',
    "a single quote": "x = 'a'\n",
}
