# DigitalOcean's firewall stands before the machine: what Docker publishes cannot by-pass it, as it
# does with a firewall on the machine itself.
locals {
  # The list that nginx believes, too: the same file.
  cloudflare = [
    for line in split("\n", file("${path.module}/../nginx/cloudflare.txt")) :
    trimspace(line) if trimspace(line) != "" && !startswith(trimspace(line), "#")
  ]
}

resource "digitalocean_firewall" "node" {
  name = "minitwit-node"
  tags = [digitalocean_tag.node.id]

  inbound_rule {
    protocol         = "tcp"
    port_range       = "22"
    source_addresses = var.administrators
  }

  # The Swarm among itself: management, gossip, overlay networks.
  dynamic "inbound_rule" {
    for_each = [["tcp", "2377"], ["tcp", "7946"], ["udp", "7946"], ["udp", "4789"]]
    content {
      protocol    = inbound_rule.value[0]
      port_range  = inbound_rule.value[1]
      source_tags = [digitalocean_tag.node.id]
    }
  }

  dynamic "outbound_rule" {
    for_each = ["tcp", "udp"]
    content {
      protocol              = outbound_rule.value
      port_range            = "1-65535"
      destination_addresses = ["0.0.0.0/0", "::/0"]
    }
  }

  outbound_rule {
    protocol              = "icmp"
    destination_addresses = ["0.0.0.0/0", "::/0"]
  }
}

resource "digitalocean_firewall" "edge" {
  name = "minitwit-edge"
  tags = [digitalocean_tag.edge.id]

  dynamic "inbound_rule" {
    for_each = ["80", "443"]
    content {
      protocol         = "tcp"
      port_range       = inbound_rule.value
      source_addresses = local.cloudflare
    }
  }

  dynamic "inbound_rule" {
    for_each = length(var.simulators) > 0 ? ["5000", "5001"] : []
    content {
      protocol         = "tcp"
      port_range       = inbound_rule.value
      source_addresses = var.simulators
    }
  }
}
