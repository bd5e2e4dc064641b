// Package filter turns bytes into records and records into bytes.
//
// A Filter decodes a stream that arrives in pieces of any size: [Filter.Feed] takes a piece,
// [Filter.Next] returns one record after the other, and [Filter.Append] encodes what goes the other
// way. Filters do no I/O and know no kernel. One filter serves one connection; what two of them
// shared would be one buffer.
//
// Line, Stream, Block, Reference, HTTPD, SMTP and Transparent turn bytes into records. Grep, Map
// and RecordBlock turn records into records (see [RecordFilter]), and Stackable puts filters upon
// each other. [MessageEncoder] and [MessageDecoder] are the fast way for whole mail messages,
// where lines do not matter.
//
// Every buffer has a limit. When it is reached, Next returns [ErrTooLong] or [ErrBufferFull], and
// the stream is lost.
package filter
