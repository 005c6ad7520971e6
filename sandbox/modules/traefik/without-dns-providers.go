// Package dns replaces the file of lego that imports the SDKs of about a hundred DNS services. These
// SDKs are most of the code in a build of Traefik. The sandbox does not need them, because it never
// requests a certificate.
package dns

import (
	"fmt"

	"github.com/go-acme/lego/v4/challenge"
)

// NewDNSChallengeProviderByName returns an error, because this build contains no DNS provider.
func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	return nil, fmt.Errorf("the sandbox's Traefik is built without the DNS provider %q", name)
}
