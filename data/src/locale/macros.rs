//! The shape of the list of messages.

macro_rules! messages {
    ($($name:ident = $key:literal,)*) => {
        /// A message. Its variants' docs are their keys in `locales/messages.toml`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Msg { $(#[doc = $key] $name,)* }

        impl Msg {
            /// Every message, in the file's order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its key, which is also the code that support tickets quote.
            pub fn key(self) -> &'static str {
                match self { $(Self::$name => $key,)* }
            }
        }
    };
}
