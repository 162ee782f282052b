//! Printer faults in the words of XFS4IoT's Printer class, and what to do.

use counterfoil_data::wire::problem::Remedy;

/// Why a printer cannot do, or did not do, what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PrintFault {
    /// No paper, or the cassette slot is empty.
    #[error("paper is out: fill the printer")]
    PaperOut,
    /// Receipt paper is jammed.
    #[error("paper is jammed: open the printer and clear it")]
    PaperJammed,
    /// A form is jammed on its way.
    #[error("a form is jammed: open the printer and clear it")]
    MediaJammed,
    /// The ribbon is used up.
    #[error("the ribbon is used up: change it")]
    InkOut,
    /// The cover is open.
    #[error("the cover is open: close it")]
    CoverOpen,
    /// The knife did not return.
    #[error("the cutter is stuck: clear it")]
    CutterFail,
    /// A form still lies in the transport.
    #[error("a form is still in the transport: divert it first")]
    MediaRetained,
    /// Nothing lies where a form was expected.
    #[error("no form lies where one was expected")]
    NoMediaPresent,
    /// The slot is not there or its cassette is out.
    #[error("the feed slot has no cassette: insert it")]
    SourceInvalid,
    /// Acts out of order: not fed, not read, or another number was read.
    #[error("the form was not fed and its number not read as the job says")]
    SequenceInvalid,
    /// The job does not follow from the confirmed text (S22).
    #[error("the job does not follow from what the officer confirmed")]
    FieldSpecFailure,
    /// A field does not fit its place.
    #[error("a field does not fit the form")]
    MediaOverflow,
    /// A character the printer cannot print.
    #[error("a character cannot be printed")]
    CharSetData,
    /// The template is not known.
    #[error("the form template is not known")]
    FormNotFound,
    /// Numbered stock in a printer that reads no number, and nobody else does.
    #[error(
        "this printer cannot read a form's number: configure that an operator reads it, \
         or use a printer that can"
    )]
    NoReader,
    /// Numbered stock in a printer that keeps what an interrupted page left in it.
    #[error(
        "this printer refuses a soft reset, so an interrupted page would meet the next form: \
         use a printer that takes one"
    )]
    NotEmptied,
    /// The operator has not typed the number of the form in the printer yet.
    #[error("an operator must read the form's number and type it twice")]
    OperatorMustRead,
    /// The printer has no such mechanism.
    #[error("this printer has no presenter, escrow or bin: a person must do it")]
    Unsupported,
    /// It answered with a code that nobody configured the meaning of.
    #[error("the printer answered with an unknown code: learn it with `probe` and configure it")]
    UnknownAnswer,
    /// The printer says it is broken.
    #[error("the printer reports a fault of its own: service it")]
    HardwareError,
    /// The printer is off-line without saying why.
    #[error("the printer is off-line")]
    Offline,
    /// It said nothing in time.
    #[error("the printer did not answer in time")]
    Timeout,
    /// It is gone from the bus, or its handle must be reopened.
    #[error("the printer is gone: check its cable")]
    NoDevice,
}

impl PrintFault {
    /// XFS4IoT's word, for advices and evidence.
    pub fn word(self) -> &'static str {
        match self {
            Self::PaperOut => "paperOut",
            Self::PaperJammed => "paperJammed",
            Self::MediaJammed => "mediaJammed",
            Self::InkOut => "inkOut",
            Self::CoverOpen => "coverOpen",
            Self::CutterFail => "cutterFail",
            Self::MediaRetained => "mediaRetained",
            Self::NoMediaPresent => "noMediaPresent",
            Self::SourceInvalid => "sourceInvalid",
            Self::SequenceInvalid => "sequenceInvalid",
            Self::FieldSpecFailure => "fieldSpecFailure",
            Self::MediaOverflow => "mediaOverflow",
            Self::CharSetData => "charSetData",
            Self::FormNotFound => "formNotFound",
            Self::NoReader | Self::NotEmptied | Self::Unsupported => "unsupportedCommand",
            Self::OperatorMustRead => "fieldNotRead",
            Self::UnknownAnswer => "internalError",
            Self::HardwareError => "hardwareError",
            Self::Offline => "offline",
            Self::Timeout => "timeout",
            Self::NoDevice => "noDevice",
        }
    }

    /// What a person can do.
    pub fn remedy(self) -> Remedy {
        match self {
            Self::PaperOut
            | Self::PaperJammed
            | Self::MediaJammed
            | Self::InkOut
            | Self::CoverOpen
            | Self::CutterFail
            | Self::MediaRetained
            | Self::NoMediaPresent
            | Self::SourceInvalid
            | Self::SequenceInvalid
            | Self::MediaOverflow
            | Self::CharSetData
            | Self::OperatorMustRead
            | Self::Unsupported => Remedy::CallStaff,
            Self::FieldSpecFailure
            | Self::FormNotFound
            | Self::NoReader
            | Self::NotEmptied
            | Self::UnknownAnswer => Remedy::OutOfService,
            Self::HardwareError | Self::Offline | Self::NoDevice => Remedy::OutOfService,
            Self::Timeout => Remedy::Retry,
        }
    }
}
