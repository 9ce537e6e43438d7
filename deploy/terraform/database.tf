# The only state: managed, backed up, reachable from the nodes alone.
resource "digitalocean_database_cluster" "minitwit" {
  name                 = "minitwit"
  engine               = "pg"
  version              = "18"
  size                 = var.sizes.database
  region               = var.region
  node_count           = 1
  private_network_uuid = digitalocean_vpc.minitwit.id

  lifecycle {
    prevent_destroy = true
  }
}

resource "digitalocean_database_firewall" "minitwit" {
  cluster_id = digitalocean_database_cluster.minitwit.id
  rule {
    type  = "tag"
    value = digitalocean_tag.node.id
  }
}

resource "digitalocean_database_db" "minitwit" {
  cluster_id = digitalocean_database_cluster.minitwit.id
  name       = "minitwit"
}

resource "digitalocean_database_user" "minitwit" {
  cluster_id = digitalocean_database_cluster.minitwit.id
  name       = "minitwit"
}

data "digitalocean_database_ca" "minitwit" {
  cluster_id = digitalocean_database_cluster.minitwit.id
}
