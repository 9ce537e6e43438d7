# People and operators come by Cloudflare; a simulator that needs a port of its own goes straight.
resource "cloudflare_record" "proxied" {
  for_each = toset([var.site, "api.${var.site}", "grafana.${var.site}"])
  zone_id  = var.cloudflare_zone_id
  name     = each.value
  type     = "A"
  content  = digitalocean_droplet.node["manager"].ipv4_address
  proxied  = true
}

resource "cloudflare_record" "direct" {
  zone_id = var.cloudflare_zone_id
  name    = "direct.${var.site}"
  type    = "A"
  content = digitalocean_droplet.node["manager"].ipv4_address
  proxied = false
}

resource "cloudflare_zone_settings_override" "minitwit" {
  zone_id = var.cloudflare_zone_id
  settings {
    ssl                      = "strict"
    min_tls_version          = "1.2"
    always_use_https         = "on"
    automatic_https_rewrites = "on"
  }
}

# The certificate between Cloudflare and nginx.
resource "tls_private_key" "origin" {
  algorithm   = "ECDSA"
  ecdsa_curve = "P256"
}

resource "tls_cert_request" "origin" {
  private_key_pem = tls_private_key.origin.private_key_pem
  subject {
    common_name = var.site
  }
}

resource "cloudflare_origin_ca_certificate" "origin" {
  csr                = tls_cert_request.origin.cert_request_pem
  hostnames          = [var.site, "*.${var.site}"]
  request_type       = "origin-ecc"
  requested_validity = 5475
}
