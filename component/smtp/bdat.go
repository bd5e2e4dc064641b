package smtp

import "strconv"

// AppendBDAT appends a BDAT command to dst and returns the extended slice. As many octets of the
// message as it says have to follow it at once: RFC 3030, section 2. A negative size makes
// AppendBDAT panic.
func AppendBDAT(dst []byte, octets int64, last bool) []byte {
	if octets < 0 {
		panic("smtp: BDAT with a negative size")
	}
	dst = append(dst, "BDAT "...)
	dst = strconv.AppendInt(dst, octets, 10)
	if last {
		dst = append(dst, " LAST"...)
	}
	return append(dst, "\r\n"...)
}

// ParseBDAT reads the argument of BDAT: how many octets of the message follow, and whether they are
// the last. A number that no int64 holds is the largest that it does.
//
// The error is a *Reply with 501. After it nobody knows where the next command begins, so a server
// has to close the connection.
func ParseBDAT(arg string) (octets int64, last bool, err error) {
	size, word := cutWord(arg)
	octets, ok := parseOctets(size)
	if !ok || word != "" && !equalFold(word, "LAST") {
		return 0, false, refuse(CodeArgumentError, EnhancedCode{5, 5, 4}, "Syntax: BDAT size [LAST]")
	}
	return octets, word != "", nil
}
