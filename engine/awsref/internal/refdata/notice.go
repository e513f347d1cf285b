package refdata

import (
	"bytes"
	"fmt"
	"strings"
)

const noticeHead = `The reference data in this folder describes Amazon Web Services: actions, resource types,
condition keys, service principals, and the AWS managed policies, whose documents are published by
Amazon Web Services. services.bin and policies.bin are made by "go generate ./engine/awsref" from the
npm packages below and from the tables beside this file, which name their sources. The documents of
policies are those of the default versions, unchanged but for white space.
`

func makeNotice(in Input) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(noticeHead)
	for _, source := range []struct {
		pkg   Package
		files Files
		what  string
	}{
		{Services, in.Services, "services, actions, resource types, condition keys"},
		{Dependents, in.Dependents, "the dependent actions of actions"},
		{Policies, in.Policies, "the AWS managed policies"},
	} {
		licence, ok := source.files[source.pkg.Licence]
		if !ok {
			return nil, fmt.Errorf("%s: no licence", source.pkg.Name)
		}
		fmt.Fprintf(&out, "\n%s\n%s, version %s: %s\n%s\nDistributed under this licence:\n\n%s\n",
			strings.Repeat("-", 78), source.pkg.Name, source.pkg.Version, source.what, source.pkg.Repository,
			strings.TrimSpace(strings.ReplaceAll(string(licence), "\r\n", "\n")))
	}
	return out.Bytes(), nil
}
