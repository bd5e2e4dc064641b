package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A size is a flag for a number of octets, as 1000000, 500k, 64M or 1G. The letters stand for
// powers of 1024, and may be followed by iB.
type size int64

var errSize = errors.New("must be a number above 0, perhaps with k, M or G")

// Set implements pflag.Value.
func (v *size) Set(s string) error {
	digits := strings.TrimSuffix(s, "iB")
	shift := 0
	if n := len(digits); n > 0 {
		switch digits[n-1] {
		case 'k', 'K':
			shift = 10
		case 'm', 'M':
			shift = 20
		case 'g', 'G':
			shift = 30
		}
		if shift > 0 {
			digits = digits[:n-1]
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64>>shift || shift == 0 && digits != s {
		return errSize
	}
	*v = size(n << shift)
	return nil
}

// String implements pflag.Value.
func (v *size) String() string {
	n := int64(*v)
	for i, unit := range []string{"G", "M", "k"} {
		if whole := int64(1) << (30 - 10*i); n >= whole && n%whole == 0 {
			return fmt.Sprintf("%d%s", n/whole, unit)
		}
	}
	return strconv.FormatInt(n, 10)
}

// Type implements pflag.Value.
func (v *size) Type() string { return "size" }
