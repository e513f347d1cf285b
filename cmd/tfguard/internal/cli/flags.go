package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A choice is a flag that takes one of a few words.
type choice struct {
	value string
	words []string
}

func (c *choice) String() string { return c.value }
func (*choice) Type() string     { return "word" }

func (c *choice) Set(word string) error {
	if !slices.Contains(c.words, word) {
		return fmt.Errorf("it takes one of %s", strings.Join(c.words, ", "))
	}
	c.value = word
	return nil
}

// choices is a flag that takes some words, with commas or one at a time.
type choices struct{ values []string }

func (c *choices) String() string { return strings.Join(c.values, ",") }
func (*choices) Type() string     { return "words" }

func (c *choices) Set(list string) error {
	c.values = append(c.values, strings.Split(list, ",")...)
	return nil
}

// among returns an error for a word that is none of those there are.
func (c *choices) among(words []string) error {
	for _, word := range c.values {
		if !slices.Contains(words, word) {
			return fmt.Errorf("there is no chain %q: there are %s", word, strings.Join(words, ", "))
		}
	}
	return nil
}

// A count is a flag that takes a number, 0 or more.
type count int

func (c *count) String() string { return strconv.Itoa(int(*c)) }
func (*count) Type() string     { return "number" }

func (c *count) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return errors.New("it takes a whole number, 0 or more")
	}
	*c = count(n)
	return nil
}

// complete offers words to the shell for a flag of the command.
func complete(cmd *cobra.Command, flag string, words []string) {
	// The only error is an unknown flag, which the transcripts would show.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// fromEnvironment sets the flags that were not given from TFGUARD_* variables; an
// empty variable is none.
func fromEnvironment(flags *pflag.FlagSet, env func(string) (string, bool)) error {
	var err error
	flags.VisitAll(func(f *pflag.Flag) {
		name := variable(f.Name)
		value, ok := env(name)
		if !ok || value == "" || f.Changed || f.Name == "help" || err != nil {
			return
		}
		if e := flags.Set(f.Name, value); e != nil {
			err = fmt.Errorf("the variable %s: %w", name, e)
		}
	})
	return err
}

// variable returns the name of the variable that stands for a flag.
func variable(flag string) string {
	return "TFGUARD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
