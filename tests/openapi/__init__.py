"""Whether the platform is what its OpenAPI description says, asked with inputs that schemathesis makes from it."""
