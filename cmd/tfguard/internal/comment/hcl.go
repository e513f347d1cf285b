package comment

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// readHCL reads a file of Terraform: its scanner knows a comment from the text of a
// string, and its parser, what a file with mistakes consists of.
func readHCL(file string, text []byte, word string) []Comment {
	tokens, _ := hclsyntax.LexConfig(text, file, hcl.InitialPos)
	var ps parts
	if f, _ := hclsyntax.ParseConfig(text, file, hcl.InitialPos); f != nil {
		ps = hclParts(f.Body.(*hclsyntax.Body))
	}
	var out []Comment
	for i, tok := range tokens {
		if tok.Type != hclsyntax.TokenComment {
			continue
		}
		for n, line := range strings.Split(string(tok.Bytes), "\n") {
			if !mentions(line, word) {
				continue
			}
			at := tok.Range.Start
			c := Comment{Text: hclText(line), Line: at.Line + n, Column: at.Column}
			if n > 0 {
				c.Column = 1 + len(line) - len(strings.TrimLeft(line, " \t"))
			}
			if i > 0 && !trivia(tokens[i-1]) && tokens[i-1].Range.End.Line == at.Line {
				c.About, c.Stray = ps.beside(at.Line)
			} else {
				c.About, c.Stray = ps.below(at.Line, following(tokens[i:]))
			}
			out = append(out, c)
		}
	}
	return out
}

func trivia(t hclsyntax.Token) bool {
	return t.Type == hclsyntax.TokenNewline || t.Type == hclsyntax.TokenComment
}

// following is the line of the first token that is neither a comment nor the end of
// what a comment stands in, 0 if there is none.
func following(tokens hclsyntax.Tokens) int {
	for _, t := range tokens {
		switch {
		case trivia(t):
		case t.Type == hclsyntax.TokenCBrace, t.Type == hclsyntax.TokenCBrack, t.Type == hclsyntax.TokenCParen, t.Type == hclsyntax.TokenEOF:
			return 0
		default:
			return t.Range.Start.Line
		}
	}
	return 0
}

// hclText is a line of a comment without the marks around it.
func hclText(line string) string {
	line = strings.TrimSpace(line)
	for _, mark := range []string{"#", "//", "/*", "*"} {
		if rest, ok := strings.CutPrefix(line, mark); ok {
			line = rest
			break
		}
	}
	return strings.TrimSpace(strings.TrimSuffix(line, "*/"))
}

func hclParts(body *hclsyntax.Body) parts {
	var ps parts
	add := func(rng hcl.Range, more Part) {
		more.First, more.Last, more.column = rng.Start.Line, rng.End.Line, rng.Start.Column
		ps = append(ps, more)
	}
	top := map[*hclsyntax.Block]bool{}
	for _, b := range body.Blocks {
		top[b] = true
	}
	// It never returns a diagnostic that the function did not.
	_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.Block:
			var p Part
			switch {
			case !top[n]:
				p.opens = opens(n.Body)
			case len(n.Labels) == 2 && n.Type == "resource":
				p.opens, p.Resource = opens(n.Body), strings.Join(n.Labels, ".")
			case len(n.Labels) == 2 && n.Type == "data":
				p.opens, p.Resource = opens(n.Body), "data."+strings.Join(n.Labels, ".")
			}
			add(hcl.RangeBetween(n.TypeRange, n.CloseBraceRange), p)
		case *hclsyntax.Attribute:
			add(n.SrcRange, Part{})
		case *hclsyntax.TupleConsExpr:
			for _, item := range n.Exprs {
				var p Part
				if o, ok := item.(*hclsyntax.ObjectConsExpr); ok && len(o.Items) > 0 {
					p.opens = o.Items[0].KeyExpr.Range().Start.Line
				}
				add(item.Range(), p)
			}
		case *hclsyntax.ObjectConsExpr:
			for _, item := range n.Items {
				add(hcl.RangeBetween(item.KeyExpr.Range(), item.ValueExpr.Range()), Part{})
			}
		}
		return nil
	})
	ps.sort()
	return ps
}

// opens is the line of the attribute that a body begins with, 0 if it begins with a
// block.
func opens(body *hclsyntax.Body) int {
	first := 0
	for _, a := range body.Attributes {
		if line := a.SrcRange.Start.Line; first == 0 || line < first {
			first = line
		}
	}
	for _, b := range body.Blocks {
		if b.TypeRange.Start.Line < first {
			return 0
		}
	}
	return first
}
