# There is no .terraform.lock.hcl here: `terraform init` writes it, with the address of the registry that
# it asked and hashes that only that registry has. Commit yours after the first `init`.
terraform {
  required_version = ">= 1.6"

  # The state holds passwords and keys. Bucket, endpoint and region are given to `terraform init`;
  # AWS_SSE_CUSTOMER_KEY holds the key with which the state is encrypted.
  backend "s3" {
    key     = "minitwit.tfstate"
    encrypt = true
  }

  required_providers {
    digitalocean = {
      source  = "digitalocean/digitalocean"
      version = "~> 2.50"
    }
    tls = {
      source  = "hashicorp/tls"
      version = "~> 4.0"
    }
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = "~> 4.40"
    }
  }
}

# Both tokens come from the environment: DIGITALOCEAN_TOKEN and CLOUDFLARE_API_TOKEN.
provider "digitalocean" {}
provider "cloudflare" {}
