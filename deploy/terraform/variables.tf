variable "site" {
  description = "The domain, which Cloudflare serves: example.org, api.example.org, grafana.example.org."
  type        = string
}

variable "cloudflare_zone_id" {
  description = "Cloudflare's id of the domain."
  type        = string
}

variable "ssh_keys" {
  description = "Fingerprints of the SSH keys, known to DigitalOcean, of those who may log in."
  type        = list(string)
  validation {
    condition     = length(var.ssh_keys) > 0
    error_message = "Without a key nobody could log in: passwords are off."
  }
}

variable "administrators" {
  description = "Networks from which SSH is allowed."
  type        = list(string)
  validation {
    condition     = !contains(var.administrators, "0.0.0.0/0") && !contains(var.administrators, "::/0")
    error_message = "SSH must not be open to the whole world."
  }
}

variable "simulators" {
  description = "Networks from which ports 5000 and 5001 may be used, in plain text and past Cloudflare; nobody's unless said."
  type        = list(string)
  default     = []
}

variable "region" {
  description = "Where all of it is."
  type        = string
  default     = "fra1"
}

variable "sizes" {
  description = "The size of each kind of machine."
  type        = map(string)
  default = {
    manager    = "s-2vcpu-2gb"
    worker     = "s-2vcpu-4gb"
    monitoring = "s-2vcpu-4gb"
    database   = "db-s-1vcpu-2gb"
  }
}
