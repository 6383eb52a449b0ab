package main

import (
	"errors"
	"fmt"
	"image/png"
	"os"
	"time"
)

// shot is one picture to take.
type shot struct {
	command string // for the shell
	steps   []step
	env     []string
	size    size
	palette palette
	wait    time.Duration // before the first step
	quiet   time.Duration // that the screen must stay the same before it is taken
	limit   time.Duration // of each wait for a text
	scale   int
	out     string // the PNG file; "" for none
}

// take runs the program, plays the script, and returns what stands on the screen in the end.
func (s *shot) take() (*screen, error) {
	run, err := start(s.command, s.env, s.size, s.palette, s.limit)
	if err != nil {
		return nil, err
	}
	run.sleep(s.wait)
	if err := run.play(s.steps); err != nil {
		return nil, errors.Join(err, run.close())
	}
	seen := run.settle(s.quiet)
	return seen, run.close()
}

// write makes the picture's file. PNG without a time in it: the same screen gives the same bytes.
func (p *painter) write(path string, s *screen) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the picture: %w", err)
	}
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := errors.Join(encoder.Encode(f, indexed(p.paint(s))), f.Close()); err != nil {
		return fmt.Errorf("write the picture %s: %w", path, err)
	}
	return nil
}
