// Filebeat with the one kind of input that the tests can run: the `filestream` of a machine's files.
//
// It is the real program: its command line, processors, queues and output. Left out is the input `kafka`, which
// takes a client of its own, and `journald`, which 7.17 compiles against libsystemd.
package main

import (
	"os"

	"github.com/elastic/beats/v7/filebeat/beater"
	"github.com/elastic/beats/v7/filebeat/cmd"
	"github.com/elastic/beats/v7/filebeat/input/filestream"
	v2 "github.com/elastic/beats/v7/filebeat/input/v2"
	"github.com/elastic/beats/v7/libbeat/beat"
	"github.com/elastic/beats/v7/libbeat/logp"
)

func inputs(_ beat.Info, log *logp.Logger, components beater.StateStore) []v2.Plugin {
	return []v2.Plugin{filestream.Plugin(log, components)}
}

func main() {
	if err := cmd.Filebeat(inputs, cmd.FilebeatSettings()).Execute(); err != nil {
		os.Exit(1)
	}
}
