//go:build commands

// Package commands names what the tests build, so that `go mod tidy` keeps the module that holds it.
package commands

import _ "github.com/opentofu/opentofu/cmd/tofu"
