# Spacelift applies when Terraform finds a change. The plan of leadstate is one: its fingerprint differs from the last one.
locals {
  plan = jsondecode(file("${path.root}/leadstate.custom.spacelift.json"))
}

resource "terraform_data" "leadstate" {
  triggers_replace = [local.plan.fingerprint]

  provisioner "local-exec" {
    command = "leadstate apply leadstate.custom.spacelift.json --auto-approve"
  }
}
