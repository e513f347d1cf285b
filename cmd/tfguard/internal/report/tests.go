package report

import "io"

// A TestCase is a test of the team's own rules as JUnit has it. Failure and Error say
// why it does not pass.
type TestCase struct {
	Suite, Name    string
	Failure, Error string
	Output         string
	Skipped        bool
}

// TestsJUnit renders tests as JUnit's XML: a suite for each run of cases of one name.
func TestsJUnit(w io.Writer, cases []TestCase) error {
	out := junitSuites{Name: "tfguard test"}
	for _, c := range cases {
		n := len(out.Suites) - 1
		if n < 0 || out.Suites[n].Name != c.Suite {
			out.Suites = append(out.Suites, junitSuite{Name: c.Suite})
			n++
		}
		jc := junitCase{Class: c.Suite, Name: c.Name, Out: c.Output}
		switch {
		case c.Skipped:
			jc.Skipped = &junitResult{}
		case c.Error != "":
			jc.Error = &junitResult{Message: c.Error}
		case c.Failure != "":
			jc.Failure = &junitResult{Message: c.Failure}
		}
		out.Suites[n].add(jc)
	}
	return out.write(w)
}
