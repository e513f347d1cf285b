package awsref

import (
	"compress/flate"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"

	"github.com/tfguard/tfguard/engine/awsref/internal/table"
)

// ManagedPolicy returns the document of an AWS managed policy in its default
// version, and whether it is known. The name is the last part of the policy's ARN,
// such as "ViewOnlyAccess"; a path before it ("job-function/ViewOnlyAccess") is
// ignored, as AWS has no two managed policies of one name. The documents are those
// of the aws partition and stand for the policy of that name in every partition.
//
// Every call unpacks the document anew: the text is the caller's.
func ManagedPolicy(name string) (text []byte, ok bool) {
	text, ok, err := policyText(policiesFile, name)
	return text, ok && err == nil
}

// ManagedPolicyPath returns the path of an AWS managed policy, such as "/" or
// "/job-function/", and whether the policy is known.
func ManagedPolicyPath(name string) (path string, ok bool) {
	list, err := openPolicies(policiesFile)
	if err != nil {
		return "", false
	}
	p, ok, err := list.find(name)
	return p.path, ok && err == nil
}

// ManagedPolicies returns the names of all AWS managed policies, in alphabetical order
// without regard to case.
func ManagedPolicies() iter.Seq[string] {
	return func(yield func(string) bool) {
		if list, err := openPolicies(policiesFile); err == nil {
			each(list.table, readName)(yield)
		}
	}
}

// policies is an opened policies.bin.
type policies struct {
	dictionary string
	table      table.Table
}

func openPolicies(file string) (policies, error) {
	r := table.NewReader(file)
	r.Literal(table.PoliciesHeading)
	p := policies{dictionary: r.Text(), table: r.Table()}
	return p, r.End()
}

// packed is a managed policy as it is in the file.
type packed struct {
	name, path string
	size       int // of the document
	deflated   string
}

// largestDocument bounds the memory that a damaged file can ask for. AWS bounds a
// managed policy of customers to 6144 characters; its own are larger, up to 157 kB.
const largestDocument = 1 << 20

// find returns a policy. The name must be in the right case, as in an ARN.
func (l policies) find(name string) (p packed, ok bool, err error) {
	name = name[strings.LastIndexByte(name, '/')+1:]
	found, r, ok, err := l.table.Find(name)
	if err != nil || !ok || found != name {
		return packed{}, false, err
	}
	p = packed{name: name, path: r.Text(), size: r.Number(), deflated: r.Rest()}
	return p, r.Err() == nil, r.Err()
}

// policyText returns the document of a policy in a policies.bin.
func policyText(file, name string) (text []byte, ok bool, err error) {
	list, err := openPolicies(file)
	if err != nil {
		return nil, false, err
	}
	p, ok, err := list.find(name)
	if err != nil || !ok {
		return nil, false, err
	}
	text, err = list.unpack(p)
	return text, err == nil, err
}

// inflaters are readers that have served and can serve again: each holds a window of
// 32 kB.
var inflaters sync.Pool

func (l policies) unpack(p packed) ([]byte, error) {
	if p.size > largestDocument {
		return nil, fmt.Errorf("%w: %s: a document of %d bytes", table.ErrDamaged, p.name, p.size)
	}
	in, ok := inflaters.Get().(io.Reader)
	if !ok {
		in = flate.NewReader(strings.NewReader(""))
	}
	defer inflaters.Put(in)
	if err := in.(flate.Resetter).Reset(strings.NewReader(p.deflated), []byte(l.dictionary)); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", table.ErrDamaged, p.name, err)
	}
	// One byte more than there should be, so that more is seen.
	text := make([]byte, p.size+1)
	n, err := io.ReadFull(in, text)
	if err != io.ErrUnexpectedEOF || n != p.size {
		return nil, fmt.Errorf("%w: %s: not a document of %d bytes", table.ErrDamaged, p.name, p.size)
	}
	return text[:n:n], nil
}
