// Replaces a generated file of the Go SDK that the Kubernetes provider uses for Helm charts and YAML files. The generated file
// has one type for each kind of object. These types are most of the time that it takes to compile the provider.
// Here, each object is a CustomResource, as the generated file does for a kind that it does not know.
package v2

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// IsListKind reports whether an object of this kind is a list of objects.
func IsListKind(_, kind string) bool {
	return strings.HasSuffix(kind, "List")
}

// RegisterResource registers an object of any kind with the Pulumi engine.
func RegisterResource(ctx *pulumi.Context, apiVersion, kind, name string, props pulumi.Input,
	opts ...pulumi.ResourceOption,
) (pulumi.CustomResource, error) {
	object := new(apiextensions.CustomResource)
	token := fmt.Sprintf("kubernetes:%s:%s", apiVersion, kind)
	if err := ctx.RegisterResource(token, name, props, object, opts...); err != nil {
		return nil, err
	}
	return object, nil
}
