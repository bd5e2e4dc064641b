package kernel_test

import (
	"testing"

	"github.com/go-poe/poe/kernel"
	"github.com/go-poe/poe/test/looptest"
)

// TestLoop holds the loop of the operating system to the suite for all loops.
func TestLoop(t *testing.T) {
	looptest.Run(t, func(*testing.T) kernel.Loop { return kernel.NewLoop() })
}
