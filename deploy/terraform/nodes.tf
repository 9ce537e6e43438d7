# One manager with nginx, two workers with api and web, a host for what watches. A full disk or a
# flood on one of them leaves the others alone.
locals {
  nodes = {
    manager    = { size = var.sizes.manager, labels = ["edge"] }
    worker-1   = { size = var.sizes.worker, labels = ["app"] }
    worker-2   = { size = var.sizes.worker, labels = ["app"] }
    monitoring = { size = var.sizes.monitoring, labels = ["monitoring"] }
  }
}

locals {
  # Updates that need a restart: one machine after the other, an hour apart, so that the others serve.
  reboot = { for place, name in keys(local.nodes) : name => format("%02d:30", place + 1) }
}

resource "digitalocean_vpc" "minitwit" {
  name   = "minitwit"
  region = var.region
}

resource "digitalocean_tag" "node" {
  name = "minitwit-node"
}

resource "digitalocean_tag" "edge" {
  name = "minitwit-edge"
}

resource "digitalocean_droplet" "node" {
  for_each   = local.nodes
  name       = "minitwit-${each.key}"
  image      = "debian-13-x64"
  region     = var.region
  size       = each.value.size
  vpc_uuid   = digitalocean_vpc.minitwit.id
  ssh_keys   = var.ssh_keys
  monitoring = true
  tags       = concat([digitalocean_tag.node.id], contains(each.value.labels, "edge") ? [digitalocean_tag.edge.id] : [])
  user_data  = templatefile("${path.module}/cloud-init.yml", { reboot = local.reboot[each.key] })

  lifecycle {
    ignore_changes = [user_data] # a change is for new machines; it must not replace a running one
  }
}

resource "digitalocean_project" "minitwit" {
  name      = "minitwit"
  resources = concat([for node in digitalocean_droplet.node : node.urn], [digitalocean_database_cluster.minitwit.urn])
}
