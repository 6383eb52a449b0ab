package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func topFile(t *testing.T, names ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, names...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// instruction is one of a Dockerfile.
type instruction struct{ name, rest string }

func dockerfile(t *testing.T) []instruction {
	t.Helper()
	text := regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(topFile(t, "Dockerfile"), "")
	var all []instruction
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		if name, rest, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			all = append(all, instruction{name, strings.Join(strings.Fields(rest), " ")})
		}
	}
	return all
}

// dockerfileArgs are the words of the last instruction of a name, written as a list.
func dockerfileArgs(t *testing.T, name string) []string {
	t.Helper()
	var args []string
	for _, in := range dockerfile(t) {
		if at := strings.IndexByte(in.rest, '['); in.name == name && at >= 0 {
			args = nil
			if err := json.Unmarshal([]byte(in.rest[at:]), &args); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	if len(args) == 0 {
		t.Fatalf("the Dockerfile has no %s with a list", name)
	}
	return args
}

func TestDockerfile(t *testing.T) {
	last := map[string]string{}
	var copied []string
	build := ""
	for _, in := range dockerfile(t) {
		last[in.name] = in.rest
		switch {
		case in.name == "FROM" && in.rest != "scratch" && !regexp.MustCompile(`^golang:\d+\.\d+\.\d+-[a-z]+ AS build$`).MatchString(in.rest):
			t.Errorf("FROM %s: want an exact version", in.rest)
		case in.name == "COPY" && !strings.HasPrefix(in.rest, "--from"):
			copied = append(copied, strings.Fields(in.rest)[0])
		case strings.Contains(in.rest, "go build"):
			build = in.rest
		}
	}
	for name, want := range map[string]string{"FROM": "scratch", "VOLUME": "/data", "EXPOSE": "8000", "USER": "65532:65532", "ENV": "SIGNALLAKE_DATA_DIR=/data/lake"} {
		if last[name] != want {
			t.Errorf("%s is %q, want %q", name, last[name], want)
		}
	}
	if !strings.Contains(last["COPY"], "--chown=65532:65532") {
		t.Errorf("the data folder does not belong to the user: COPY %s", last["COPY"])
	}
	for _, args := range [][]string{dockerfileArgs(t, "ENTRYPOINT"), dockerfileArgs(t, "HEALTHCHECK")} {
		if _, _, err := find(args[1:]); err != nil || args[0] != "/signallake-tui" {
			t.Errorf("%q: %v", args, err)
		}
	}
	for _, flags := range []string{"-trimpath", "-tags netgo,osusergo", "-s -w", "-X main.version=", "-linkmode external -extldflags -static"} {
		if !strings.Contains(build, flags) || !strings.Contains(topFile(t, "Makefile"), flags) {
			t.Errorf("the image and `make release` are to be built with %q", flags)
		}
	}
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for path := range strings.FieldsSeq(string(out)) {
		if ours, ok := strings.CutPrefix(path, module); ok {
			if top, _, _ := strings.Cut(ours, "/"); !slices.Contains(copied, top) {
				t.Errorf("the program needs %s, and the Dockerfile does not copy %s", ours, top)
			}
		}
	}
}

func TestCompose(t *testing.T) {
	var compose struct {
		Services map[string]struct {
			Ports, Volumes, Command, Tmpfs []string
			CapDrop                        []string `yaml:"cap_drop"`
			ReadOnly                       bool     `yaml:"read_only"`
			Privileged                     bool
			User, Restart                  string
			Healthcheck                    struct{ Test []string }
		}
		Volumes map[string]any
	}
	if err := yaml.Unmarshal([]byte(topFile(t, "docker-compose.yml")), &compose); err != nil {
		t.Fatal(err)
	}
	if len(compose.Services) != 1 {
		t.Fatalf("%d services", len(compose.Services))
	}
	for name, s := range compose.Services {
		if len(s.Ports) == 0 || s.Privileged || s.User != "" || !s.ReadOnly || s.Restart == "" || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.Tmpfs, "/tmp") {
			t.Errorf("%s: %+v", name, s)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s: port %s can be reached from other machines", name, port)
			}
		}
		for _, volume := range s.Volumes {
			source, target, _ := strings.Cut(volume, ":")
			if _, named := compose.Volumes[source]; !named || target != "/data" {
				t.Errorf("%s: volume %s is not named, or not at /data", name, volume)
			}
		}
		if want := append([]string{"CMD"}, dockerfileArgs(t, "HEALTHCHECK")...); !slices.Equal(s.Healthcheck.Test, want) {
			t.Errorf("%s: health check %q, want %q", name, s.Healthcheck.Test, want)
		}
		if !slices.Equal(s.Command, []string{"--allowed-host", name}) {
			t.Errorf("%s: the other services call it by this name: %q", name, s.Command)
		}
	}
}

func TestContinuousIntegration(t *testing.T) {
	var ci struct {
		Permissions map[string]string
		Jobs        map[string]struct {
			RunsOn string `yaml:"runs-on"`
			Steps  []struct {
				Uses, Run string
				With      map[string]any
			}
		}
	}
	if err := yaml.Unmarshal([]byte(topFile(t, ".github", "workflows", "ci.yml")), &ci); err != nil {
		t.Fatal(err)
	}
	if len(ci.Permissions) != 1 || ci.Permissions["contents"] != "read" {
		t.Errorf("permissions %v", ci.Permissions)
	}
	image := regexp.MustCompile(`golang:([0-9.]+)-`).FindStringSubmatch(topFile(t, "Dockerfile"))[1]
	var runs []string
	for name, job := range ci.Jobs {
		if !regexp.MustCompile(`^ubuntu-\d\d\.\d\d$`).MatchString(job.RunsOn) {
			t.Errorf("%s runs on %s: want an exact version", name, job.RunsOn)
		}
		for _, step := range job.Steps {
			if step.Uses != "" && !regexp.MustCompile(`^[a-z-]+/[a-z-]+@v\d+\.\d+\.\d+$`).MatchString(step.Uses) {
				t.Errorf("%s uses %s: want an exact version", name, step.Uses)
			}
			if version, ok := step.With["go-version"]; ok && version != image {
				t.Errorf("%s builds with Go %v, the image with %s", name, version, image)
			}
			if step.Run != "" {
				runs = append(runs, step.Run)
			}
		}
	}
	all := strings.Join(runs, "\n")
	makefile := topFile(t, "Makefile")
	for _, target := range []string{"build", "test", "race", "lint", "bench BENCHTIME=1x", "fuzz FUZZTIME=10s", "release", "emptyroot", "image"} {
		name, _, _ := strings.Cut(target, " ")
		if !strings.Contains(all, "make "+target) || !strings.Contains(makefile, "\n"+name+":") {
			t.Errorf("`make %s` is not run, or is no target", target)
		}
	}
	for _, run := range runs {
		if script, _, _ := strings.Cut(run, " "); strings.HasPrefix(script, ".ci/") {
			if info, err := os.Stat(filepath.Join("..", "..", script)); err != nil || info.Mode()&0o111 == 0 {
				t.Errorf("%s cannot be run: %v", script, err)
			}
		}
	}
}
