package comment_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tfguard/tfguard/cmd/tfguard/internal/comment"
)

const hcl = `# mark: the file
resource "aws_s3_bucket" "b" {
  # mark: first in the resource
  bucket = "b"

  # mark: with blank lines below

  // another word
  tags = { a = 1 } # mark: behind

  # mark: last in the resource
}

data "aws_iam_policy_document" "d" { // mark: behind the head
  # mark: above a statement
  statement {
    # mark: first in a statement
    sid = "A" /* mark: of the other kind */
    actions = ["s3:*"]
    # mark: further down
    resources = ["*"]
  }
}

locals {
  # mark: not about all locals
  one = <<-EOT
    # mark: text
    resource "aws_s3_bucket_policy" "text" {
  EOT
  two = jsonencode({
    Statement = [
      # mark: an item
      {
        # mark: a member
        Effect = "Allow"
      }, # mark: behind an end
      # mark: last in a list
    ]
  })
  three = "# mark: text"
  /*
   * mark: of several lines
   */
  four = "${ # mark: in a template
  1}"
}
`

const yaml = `# mark: a section
Resources:

  # mark: with blank lines below

  # another word
  A:
    # mark: first in the resource
    Type: AWS::S3::Bucket
    # mark: last in the resource

  B: # mark: behind the head
    Type: AWS::SQS::QueuePolicy
    Properties:
      # mark: above a list that is not indented
      Statement:
      # mark: an item
      - Effect: Allow
        # mark: a member
        Action: sqs:*
      - # mark: behind nothing
        Effect: Deny
      - {Effect: Deny} # mark: behind an item
      Text: |
        # mark: text
      More: "a # mark: text" # mark: behind text
      Folded: >-
        b # mark: text
        c
      Plain: d#mark is text
      Quoted: 'e

        # mark: text'
# mark: less indented
  C: {Type: "AWS::S3::Bucket", Properties: {Name: "# mark: text"}} # mark: one line
Outputs: {} # mark: behind a section
# mark: at the end
`

// A comment is about what begins on its line or below it, and about nothing else.
func TestRead(t *testing.T) {
	for _, test := range []struct {
		file, text string
		want       []string
	}{
		{"main.tf", hcl, []string{
			"1:1 the file: 2-12 aws_s3_bucket.b",
			"3:3 first in the resource: 2-12 aws_s3_bucket.b",
			"6:3 with blank lines below: 9-9",
			"9:20 behind: 9-9",
			"11:3 last in the resource: nothing begins below it",
			"14:38 behind the head: 14-23 data.aws_iam_policy_document.d",
			"15:3 above a statement: 16-22",
			"17:5 first in a statement: 16-22",
			"18:15 of the other kind: 18-18",
			"20:5 further down: 21-21",
			"26:3 not about all locals: 27-30",
			"33:7 an item: 34-37",
			"35:9 a member: 34-37",
			"37:10 behind an end: nothing begins on its line",
			"38:7 last in a list: nothing begins below it",
			"43:4 of several lines: 45-46",
			"45:14 in a template: 45-46",
		}},
		{"template.cfn", yaml, []string{
			"1:1 a section: it is about a whole section; put it above a resource",
			"4:3 with blank lines below: 7-11 A",
			"8:5 first in the resource: 7-11 A",
			"10:5 last in the resource: what follows is outside of what it stands in",
			"12:6 behind the head: 12-34 B",
			"15:7 above a list that is not indented: 16-23",
			"17:7 an item: 18-21",
			"19:9 a member: 20-21",
			"21:9 behind nothing: nothing begins on its line",
			"23:24 behind an item: 23-23",
			"26:30 behind text: 26-26",
			"34:1 less indented: 35-35 C",
			"35:68 one line: 35-35 C",
			"36:13 behind a section: it is about a whole section; put it above a resource",
			"37:1 at the end: nothing begins below it",
		}},
		{"broken.tf", "resource \"a\" \"b\" {\n  # mark: in a file with mistakes\n  c = \n}\n", []string{"2:3 in a file with mistakes: 1-4 a.b"}},
		{"broken.yaml", "a: [\n# mark: not read\n", nil},
		{"empty.yaml", "# mark: nothing else\n", nil},
		{"crlf.yaml", "\uFEFFResources:\r\n  # mark: lines of Windows\r\n  A:\r\n    Type: T\r\n", []string{"2:3 lines of Windows: 3-5 A"}},
	} {
		t.Run(test.file, func(t *testing.T) {
			var got []string
			for _, c := range comment.Read(test.file, []byte(test.text), "MARK") {
				about := c.Stray
				if about == "" {
					about = strings.TrimSpace(fmt.Sprintf("%d-%d %s", c.About.First, c.About.Last, c.About.Resource))
				}
				got = append(got, fmt.Sprintf("%d:%d %s: %s", c.Line, c.Column, strings.TrimPrefix(c.Text, "mark: "), about))
			}
			for i := range max(len(got), len(test.want)) {
				if i >= len(got) || i >= len(test.want) || got[i] != test.want[i] {
					t.Fatalf("from %d on: got\n%s\nwant\n%s", i, strings.Join(slices.Clip(got), "\n"), strings.Join(test.want, "\n"))
				}
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add("main.tf", hcl)
	f.Add("template.yaml", yaml)
	f.Fuzz(func(t *testing.T, file, text string) {
		lines := strings.Count(text, "\n") + 1
		for _, c := range comment.Read(file, []byte(text), "mark") {
			if c.Line < 1 || c.Line > lines || c.Stray == "" && (c.About.First < 1 || c.About.Last < c.About.First || c.About.First > lines) {
				t.Errorf("%+v of %d lines", c, lines)
			}
		}
	})
}
