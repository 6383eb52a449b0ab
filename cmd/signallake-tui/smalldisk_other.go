//go:build !linux

package main

import "errors"

const diskName = "disk"

var errNoSmallDisk = errors.New("a small disk in memory can be made on Linux only: leave --fulls out")

func mountSmallDisk(string, int64) (func() error, error) { return nil, errNoSmallDisk }
func unmountSmallDisk(string) error                      { return errNoSmallDisk }
func fillDisk(string, int64) (func() error, error)       { return nil, errNoSmallDisk }
