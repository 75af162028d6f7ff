# The published images. `docker buildx bake --file docker-bake.hcl` builds them for this machine.
# .github/workflows/publish.yml builds them for amd64 and arm64, each on a machine of that kind.

variable "REGISTRY" {
  # Ends with a slash, such as "ghcr.io/somebody/".
  default = ""
}

variable "TAG" {
  default = "latest"
}

variable "VERSION" {
  default = ""
}

variable "REVISION" {
  # The commit that is built.
  default = ""
}

variable "SOURCE" {
  # Where the sources can be found.
  default = ""
}

group "default" {
  targets = ["image"]
}

target "image" {
  name   = service
  matrix = { service = ["vote", "worker", "result", "load-test"] }
  target = service
  tags   = ["${REGISTRY}urna-${service}:${TAG}"]
  labels = {
    "org.opencontainers.image.version"  = VERSION
    "org.opencontainers.image.revision" = REVISION
    "org.opencontainers.image.source"   = SOURCE
  }
}
