package report

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/tfguard/tfguard/engine/chain"
	"github.com/tfguard/tfguard/engine/kleene"
	"github.com/tfguard/tfguard/engine/request"
	"github.com/tfguard/tfguard/engine/symbol"
)

// A Chain is a chain of the catalogue. Its hops are left out of lists.
type Chain struct {
	ID      string     `json:"id"`
	Title   string     `json:"title"`
	Pattern string     `json:"pattern"`
	Hops    []ChainHop `json:"hops,omitempty"`
}

// A ChainHop is a hop of a chain with the context that it carries whatever the input.
type ChainHop struct {
	Hop         int      `json:"hop"`
	Optional    bool     `json:"optional,omitempty"`
	Credentials string   `json:"credentials"`
	Actions     []string `json:"actions"`
	Resource    string   `json:"resource"`
	// Context holds the keys that are certainly present, with a placeholder where the
	// value depends on the input; Unknown those whose presence is not sure.
	Context map[string]any `json:"context"`
	Unknown []string       `json:"unknown"`
}

// placeholders are the keys whose values depend on the input, with what they say.
var placeholders = map[string]string{
	"aws:PrincipalArn":         "principal.arn",
	"aws:PrincipalAccount":     "principal.account",
	"aws:userid":               "principal.userid",
	"aws:username":             "principal.name",
	"aws:TokenIssueTime":       "session.issueTime",
	"aws:MultiFactorAuthAge":   "session.mfaAge",
	"aws:FederatedProvider":    "session.provider",
	"identitystore:UserId":     "session.user",
	"aws:SourceIp":             "network.address",
	"aws:VpcSourceIp":          "network.privateAddress",
	"aws:SourceVpc":            "network.vpc",
	"aws:SourceVpcArn":         "network.vpcArn",
	"aws:SourceVpce":           "network.vpcEndpoint",
	"aws:VpceAccount":          "network.account",
	"aws:RequestedRegion":      "region",
	"aws:CurrentTime":          "request.time",
	"aws:EpochTime":            "request.epochTime",
	"aws:UserAgent":            "request.userAgent",
	"aws:ResourceAccount":      "resource.account",
	"s3:ResourceAccount":       "resource.account",
	"kms:CallerAccount":        "principal.account",
	"aws:SourceArn":            "source.arn",
	"aws:SourceAccount":        "source.account",
	"aws:SourceOwner":          "principal.account",
	"aws:PrincipalType":        "principal.type",
	"lambda:SourceFunctionArn": "function.arn",
}

// fixed are the values of those keys that say something about every input.
var fixed = []string{"anonymous", "aws-owned", "User", "AssumedRole", "FederatedUser", "Account", "Anonymous", "us-east-1"}

// ShownChain renders a chain with its hops.
func ShownChain(c *chain.Chain, hops []chain.Shown) *Chain {
	out := &Chain{ID: c.ID, Title: c.Title, Pattern: c.Pattern}
	for i := range hops {
		h := &hops[i]
		hop := ChainHop{
			Hop: h.Number, Optional: h.Optional, Credentials: string(h.Credentials), Actions: list(h.Actions),
			Resource: h.On.String(), Context: map[string]any{}, Unknown: []string{},
		}
		for e := range h.Context.All() {
			key := e.Key
			if strings.HasSuffix(key, "/") {
				key += "${TagKey}"
			}
			switch {
			case e.Present != kleene.True:
				hop.Unknown = append(hop.Unknown, key)
			case request.Multivalued(key):
				values := []string{}
				for _, v := range e.Values {
					values = append(values, shownValue(key, v))
				}
				hop.Context[key] = values
			default:
				hop.Context[key] = shownValue(key, e.Values[0])
			}
		}
		out.Hops = append(out.Hops, hop)
	}
	return out
}

func shownValue(key string, v symbol.Text) string {
	if name, ok := placeholders[key]; ok && !slices.Contains(fixed, v.String()) {
		return "${" + name + "}"
	}
	return v.String()
}

// Chains renders the catalogue, a chain a line.
func Chains(w io.Writer, chains []*chain.Chain, opts Options) error {
	t := &text{w: bufio.NewWriter(w), color: opts.Color}
	longest := 0
	for _, c := range chains {
		longest = max(longest, len(c.ID))
	}
	for _, c := range chains {
		t.line("%s  %s  %s", t.paint(bold, pad(c.ID, longest)), t.paint(faint, pad(c.Pattern, 2)), printable(c.Title))
	}
	return t.w.Flush()
}

// ChainsJSON renders the catalogue as JSON.
func ChainsJSON(w io.Writer, chains []*chain.Chain) error {
	out := []*Chain{}
	for _, c := range chains {
		out = append(out, &Chain{ID: c.ID, Title: c.Title, Pattern: c.Pattern})
	}
	return encode(w, out)
}

// ChainJSON renders one chain as JSON.
func ChainJSON(w io.Writer, c *Chain) error { return encode(w, c) }

func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// ShowChain renders one chain: every hop with the keys that it carries.
func ShowChain(w io.Writer, c *Chain, opts Options) error {
	t := &text{w: bufio.NewWriter(w), color: opts.Color}
	title := c.ID
	if c.Pattern != "" {
		title += "  (pattern " + c.Pattern + ")"
	}
	t.line("%s", t.paint(bold, title))
	t.paragraph("", "", plain, c.Title)
	for i := range c.Hops {
		t.line("")
		t.chainHop(&c.Hops[i])
	}
	return t.w.Flush()
}

func (t *text) chainHop(h *ChainHop) {
	head := fmt.Sprintf("hop %d  %s  %s", h.Hop, h.Credentials, strings.Join(h.Actions, ", "))
	if h.Optional {
		head += "  (optional)"
	}
	t.paragraph("", "  ", bold, head)
	t.paragraph("  on ", "    ", plain, h.Resource)
	longest := 0
	for key := range h.Context {
		longest = max(longest, len(key))
	}
	for _, key := range slices.Sorted(maps.Keys(h.Context)) {
		value := h.Context[key]
		if values, ok := value.([]string); ok {
			value = "[" + strings.Join(values, ", ") + "]"
		}
		t.line("  %s  %s", pad(key, longest), printable(fmt.Sprint(value)))
	}
	if len(h.Unknown) > 0 {
		t.paragraph("  not known whether present: ", "    ", faint, strings.Join(h.Unknown, ", "))
	}
}
