package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// A Version is what the linker was told of a release; empty fields are filled from
// what the Go toolchain recorded.
type Version struct{ Version, Commit, Date string }

func (v Version) complete() Version {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if v.Version == "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && v.Commit == "":
			v.Commit = s.Value
		case s.Key == "vcs.time" && v.Date == "":
			v.Date = s.Value
		}
	}
	return v
}

func newVersion(streams Streams, version Version) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Prints the version of tfguard",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := version.complete()
			if v.Version == "" {
				v.Version = "(devel)"
			}
			built := ""
			if v.Commit != "" {
				built = fmt.Sprintf(" (%.12s %s)", v.Commit, v.Date)
			}
			_, err := fmt.Fprintf(streams.Out, "tfguard %s%s %s %s/%s\n", v.Version, built, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
