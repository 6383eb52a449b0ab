//go:build !linux

package main

import "errors"

const diskName = "disk"

var errNoFullDisk = errors.New("a full disk can be made on Linux only: leave --fulls out")

func mountSmallDisk(string, int64) (func() error, error) { return nil, errNoFullDisk }
func unmountSmallDisk(string) error                      { return errNoFullDisk }
func fillDisk(string, int64) (func() error, error)       { return nil, errNoFullDisk }
func limitFiles(int) (func() error, error)               { return nil, errNoFullDisk }
