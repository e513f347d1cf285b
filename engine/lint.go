package engine

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tfguard/tfguard/engine/arn"
	"github.com/tfguard/tfguard/engine/awsref"
	"github.com/tfguard/tfguard/engine/condition"
	"github.com/tfguard/tfguard/engine/policy"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/source"
)

// Lint warns of actions and condition keys of a policy that the Service
// Authorization Reference does not know: misspelt ones match nothing. AWS's own
// policies hold some that the reference lacks, so a warning is all it is. Of the
// policy of a VPC endpoint it also warns of what AWS takes in no such policy.
func Lint(doc *policy.Document) source.Diagnostics {
	var l Linter
	return l.Lint(doc)
}

// A Linter is [Lint] for many policies: it looks up once what several of them name.
// The zero Linter is ready for use.
type Linter struct{ known map[string]bool }

// Lint is the function [Lint].
func (ls *Linter) Lint(doc *policy.Document) source.Diagnostics {
	if ls.known == nil {
		ls.known = map[string]bool{}
	}
	l := linter{doc: doc, known: ls.known}
	for i := range doc.Statements {
		st := &doc.Statements[i]
		for j := range st.Actions.Entries {
			l.action(&st.Actions.Entries[j])
		}
		for j := range st.Conditions {
			l.key(st.Conditions[j].Key, st.Conditions[j].KeyRange)
		}
		if doc.Kind == policy.VPCEndpoint {
			l.endpoint(st)
		}
	}
	return l.diags
}

type linter struct {
	doc *policy.Document
	// known are the actions and keys that there is nothing to say about.
	known map[string]bool
	said  map[string]bool
	diags source.Diagnostics
}

// warn says one thing once for a policy.
func (l *linter) warn(rng source.Range, summary, detail string) {
	if l.said == nil {
		l.said = map[string]bool{}
	}
	if !l.said[detail] {
		l.said[detail] = true
		l.diags = append(l.diags, source.Diagnostic{Severity: source.Warning, Summary: summary, Detail: detail, Origin: l.doc.Origin, Range: rng})
	}
}

func (l *linter) action(a *policy.Action) {
	s, known := a.Text.Literal()
	prefix, name, ok := strings.Cut(s, ":")
	if !known || !ok || l.known[s] || strings.ContainsAny(prefix, "*?") {
		return
	}
	service, ok := awsref.LookupService(prefix)
	if !ok {
		l.warn(a.Range, "Unknown service", fmt.Sprintf("No service has the prefix %q as of %s; if it is misspelt its actions match nothing.", prefix, awsref.ServicesDate))
		return
	}
	if strings.ContainsAny(name, "*?") {
		return
	}
	if _, ok := service.Action(name); ok {
		l.known[s] = true
		return
	}
	if needs, ok := operations[strings.ToLower(s)]; ok {
		l.warn(a.Range, "API operation, not an action", fmt.Sprintf("%q is an API operation, and no action: it matches nothing. The operation needs %s.", s, needs))
		return
	}
	l.warn(a.Range, "Unknown action", fmt.Sprintf("%q is no action of %s as of %s; if it is misspelt it matches nothing.", s, service.Name, awsref.ServicesDate))
}

// operations are API operations that policies name by other actions, in lower case
// (AWS pages "Required permissions for Amazon S3 API operations" and those of the
// other services).
var operations = map[string]string{
	"s3:headobject":               "s3:GetObject",
	"s3:headbucket":               "s3:ListBucket",
	"s3:listobjects":              "s3:ListBucket",
	"s3:listobjectsv2":            "s3:ListBucket",
	"s3:listobjectversions":       "s3:ListBucketVersions",
	"s3:listbuckets":              "s3:ListAllMyBuckets",
	"s3:createmultipartupload":    "s3:PutObject",
	"s3:uploadpart":               "s3:PutObject",
	"s3:completemultipartupload":  "s3:PutObject",
	"s3:uploadpartcopy":           "s3:GetObject on the source and s3:PutObject on the destination",
	"s3:copyobject":               "s3:GetObject on the source and s3:PutObject on the destination",
	"s3:deleteobjects":            "s3:DeleteObject",
	"lambda:invoke":               "lambda:InvokeFunction",
	"dynamodb:transactgetitems":   "dynamodb:GetItem",
	"dynamodb:transactwriteitems": "dynamodb:PutItem, dynamodb:UpdateItem, dynamodb:DeleteItem and dynamodb:ConditionCheckItem",
}

func (l *linter) key(key string, rng source.Range) {
	prefix, _, _ := strings.Cut(key, ":")
	if l.known[key] {
		return
	}
	if _, ok := request.Find(key); ok {
		l.known[key] = true
		return
	}
	if _, ok := awsref.LookupConditionKey(key); ok {
		l.known[key] = true
		return
	}
	// Keys of identity providers begin with the provider's name, saml:sub and the like
	// with a protocol: their claims are in no reference.
	if _, service := awsref.LookupService(prefix); service || strings.EqualFold(prefix, "aws") {
		l.warn(rng, "Unknown condition key", fmt.Sprintf("%q is no condition key as of %s; a request never carries it.", key, awsref.ServicesDate))
	}
}

// endpoint warns of what the policies of VPC endpoints may not hold (AWS PrivateLink
// page "Control access to VPC endpoints using endpoint policies").
func (l *linter) endpoint(st *policy.Statement) {
	for i := range st.Conditions {
		c := &st.Conditions[i]
		wild := c.Operator.Base == condition.StringLike || c.Operator.Base == condition.StringNotLike
		switch {
		case (wild || c.Operator.Numeric()) && generated[strings.ToLower(c.Key)]:
			l.warn(c.KeyRange, "Operator over generated ids", fmt.Sprintf("In the policy of a VPC endpoint %s over %s, whose values AWS generates, is refused: compare with StringEquals.", c.Operator, c.Key))
		case wild:
			for j := range c.Values {
				if s, known := c.Values[j].Text.Literal(); known && !anchored(s) {
					l.warn(c.Values[j].Range, "Wildcard with little around it", fmt.Sprintf("In the policy of a VPC endpoint a wildcard under %s needs six characters before or after it, and one of the values of %s has fewer.", c.Operator, c.Key))
				}
			}
		}
	}
	if st.Resources == nil {
		return
	}
	for i := range st.Resources.Entries {
		r := &st.Resources.Entries[i]
		a, ok := arn.Parse(r.Text())
		if account, known := a[arn.Account].Literal(); ok && known && account != "*" && strings.ContainsAny(account, "*?") {
			l.warn(r.Range, "Part of an account id", "In the policy of a VPC endpoint the account of an ARN is an id or \"*\", and no part of one.")
		}
	}
}

// generated are the keys whose values AWS generates, in lower case.
var generated = map[string]bool{
	"aws:principalaccount": true, "aws:resourceaccount": true, "aws:sourceaccount": true, "aws:vpceaccount": true,
	"aws:principalorgid": true, "aws:resourceorgid": true, "aws:sourceorgid": true, "aws:vpceorgid": true,
	"aws:sourcevpc": true, "aws:sourcevpce": true, "aws:userid": true,
}

// anchored reports whether every wildcard of a pattern has six characters before or
// after it.
func anchored(pattern string) bool {
	const least = 6
	runs := strings.Split(strings.ReplaceAll(pattern, "?", "*"), "*")
	for i := range len(runs) - 1 {
		if utf8.RuneCountInString(runs[i]) < least && utf8.RuneCountInString(runs[i+1]) < least {
			return false
		}
	}
	return true
}
