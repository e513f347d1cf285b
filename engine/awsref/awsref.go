// Package awsref is reference data about AWS, embedded so that decisions need no
// network.
//
// For now it holds some of the AWS managed policies: AdministratorAccess,
// ReadOnlyAccess and other job functions, the execution roles of common services,
// and whatever the plans under fixtures attach. A later version carries all of them;
// until then a policy that [ManagedPolicy] does not know is an unknown policy, which
// is not the same as one that permits nothing. Source and licence of the documents
// are in managed/NOTICE.
package awsref

import (
	"embed"
	"strings"
)

//go:embed managed/*.json
var managed embed.FS

// ManagedPolicy returns the document of an AWS managed policy in its default
// version, and whether it is known. The name is the last part of the policy's ARN,
// such as "ViewOnlyAccess"; a path before it ("job-function/ViewOnlyAccess") is
// ignored, as AWS has no two managed policies of one name. The documents are those
// of the aws partition and stand for the policy of that name in every partition.
func ManagedPolicy(name string) (text []byte, ok bool) {
	name = name[strings.LastIndexByte(name, '/')+1:]
	text, err := managed.ReadFile("managed/" + name + ".json")
	return text, err == nil
}
