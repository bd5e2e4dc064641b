package smtp

// Reply codes. RFC 5321, section 4.2, where no other RFC is named; the names of POE's component
// Server::SMTP stand beside those that it has.
const (
	CodeSystemStatus = 211 // POE: SMTP_SYTEM_STATUS.
	CodeHelp         = 214 // POE: SMTP_SYSTEM_HELP, which is 211 there.
	CodeServiceReady = 220 // POE: SMTP_SERVICE_READY.
	CodeClosing      = 221 // POE: SMTP_QUIT.
	CodeAuthDone     = 235 // RFC 4954
	CodeOK           = 250 // POE: SMTP_OK.
	CodeWillForward  = 251 // POE: SMTP_WILL_FORWARD.
	CodeCannotVerify = 252 // POE: SMTP_CANNOT_VRFY_USER.

	CodeAuthContinue = 334 // RFC 4954
	CodeStartMail    = 354 // POE: SMTP_START_MAIL_INPUT.

	CodeNotAvailable       = 421 // POE: SMTP_NOT_AVAILABLE.
	CodePasswordTransition = 432 // RFC 4954
	CodeMailboxBusy        = 450 // POE: SMTP_SERVICE_UNAVAILABLE.
	CodeLocalError         = 451 // POE: SMTP_LOCAL_ERROR.
	CodeNoStorage          = 452 // POE: SMTP_NO_STORAGE.
	CodeAuthUnavailable    = 454 // RFC 4954, and RFC 3207 for TLS
	CodeParametersRefused  = 455

	CodeSyntaxError            = 500 // POE: SMTP_SYNTAX_ERROR.
	CodeArgumentError          = 501 // POE: SMTP_ARG_SYNTAX_ERROR.
	CodeNotImplemented         = 502 // POE: SMTP_NOT_IMPLEMENTED.
	CodeBadSequence            = 503 // POE: SMTP_BAD_SEQUENCE.
	CodeArgumentNotImplemented = 504 // POE: SMTP_ARG_NOT_IMPLEMENTED.
	CodeNoMailHost             = 521 // RFC 7504
	CodeAuthRequired           = 530 // RFC 4954, and RFC 3207 for TLS
	CodeAuthTooWeak            = 534 // RFC 4954
	CodeAuthFailed             = 535 // RFC 4954
	CodeEncryptionRequired     = 538 // RFC 4954
	CodeUnavailable            = 550 // POE: SMTP_UNAVAILABLE.
	CodeUserNotLocal           = 551 // POE: SMTP_USER_NOT_LOCAL.
	CodeQuotaLimit             = 552 // POE: SMTP_QUOTA_LIMIT.
	CodeMailboxName            = 553 // POE: SMTP_MAILBOX_ERROR.
	CodeTransactionFailed      = 554 // POE: SMTP_TRANSACTION_FAILED, SMTP_NO_SERVICE.
	CodeParametersUnknown      = 555
	CodeNoMailDomain           = 556 // RFC 7504
)
