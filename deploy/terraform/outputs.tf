output "nodes" {
  description = "Public and private address and labels of each machine, for deploy/swarm-join.sh."
  value = {
    for name, node in digitalocean_droplet.node :
    name => { public = node.ipv4_address, private = node.ipv4_address_private, labels = local.nodes[name].labels }
  }
}

output "database_address" {
  value = "${digitalocean_database_cluster.minitwit.private_host}:${digitalocean_database_cluster.minitwit.port}"
}

# What deploy/swarm-secrets.sh gives to the Swarm: terraform output -raw NAME.
output "database_password" {
  value     = digitalocean_database_user.minitwit.password
  sensitive = true
}

output "database_ca" {
  value     = data.digitalocean_database_ca.minitwit.certificate
  sensitive = true
}

output "tls_certificate" {
  value     = cloudflare_origin_ca_certificate.origin.certificate
  sensitive = true
}

output "tls_key" {
  value     = tls_private_key.origin.private_key_pem
  sensitive = true
}
