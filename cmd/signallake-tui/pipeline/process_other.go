//go:build !linux

package pipeline

import (
	"errors"
	"syscall"
	"time"
)

var errLinux = errors.New("the pipeline benchmark needs Linux: it reads processor time and memory of other processes from the kernel")

// dieWithParent is Linux's: elsewhere a killed parent leaves its child.
func dieWithParent() *syscall.SysProcAttr { return nil }

func processorTime(int) (time.Duration, error) { return 0, errLinux }

func threadTime() (time.Duration, error) { return 0, errLinux }

func peakMemory(int) (int64, error) { return 0, errLinux }
