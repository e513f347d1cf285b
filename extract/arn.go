package extract

import (
	"strings"

	"github.com/tfguard/tfguard/engine/symbol"
)

// Expand fills in the template of an ARN: {attribute} is the attribute's value, {account},
// {partition}, {region} and {organization} are facts about the input, {@suffix} is
// what the service appends, and "|" asks for a change of spelling. value gives all
// of them except {organization}.
func Expand(template string, value func(key string) symbol.Text) symbol.Text {
	var parts []symbol.Text
	for template != "" {
		i := strings.IndexByte(template, '{')
		if i < 0 {
			parts = append(parts, symbol.Literal(template))
			break
		}
		parts = append(parts, symbol.Literal(template[:i]))
		key, rest, _ := strings.Cut(template[i+1:], "}")
		template = rest
		key, spelling, _ := strings.Cut(key, "|")
		if key == "organization" {
			parts = append(parts, symbol.Symbol{Name: "organization", Class: symbol.Segment}.Text())
			continue
		}
		parts = append(parts, Respell(value(key), spelling))
	}
	return symbol.Concat(parts...)
}

// Respell changes the spelling of a text: "lower" its case, "bare" leaves off a
// slash before it, "host" the scheme, "last" all but what follows the last slash.
func Respell(t symbol.Text, spelling string) symbol.Text {
	switch spelling {
	case "lower":
		return t.Lower()
	case "bare":
		if t.HasPrefix(symbol.Literal("/")) {
			return t.Slice(1, t.Len())
		}
	case "host":
		if prefix := symbol.Literal("https://"); t.HasPrefix(prefix) {
			return t.Slice(prefix.Len(), t.Len())
		}
	case "last":
		parts := t.SplitN('/', 16)
		return parts[len(parts)-1]
	}
	return t
}

// PartitionOf returns the partition that a region is in, and false for a region that
// is not known.
func PartitionOf(t symbol.Text) (string, bool) {
	region, ok := t.Literal()
	switch {
	case !ok || region == "":
		return "", false
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn", true
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov", true
	default:
		return "aws", true
	}
}

// PermissionSetRole returns the name and the ARN of the role that an Identity Center
// permission set becomes in an account. (AWS page "Referencing permission sets in
// resource policies, Amazon EKS Cluster config maps, and AWS KMS key policies": the
// name of the role and its random suffix.)
func PermissionSetRole(partition, account, name, suffix symbol.Text) (role, arn symbol.Text) {
	role = symbol.Concat(symbol.Literal("AWSReservedSSO_"), name, symbol.Literal("_"), suffix)
	arn = symbol.Concat(
		symbol.Literal("arn:"), partition, symbol.Literal(":iam::"), account,
		symbol.Literal(":role/aws-reserved/sso.amazonaws.com/"), role)
	return role, arn
}
