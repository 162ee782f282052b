//! Private keys of the demonstration card issuer: worthless by design, published
//! here, and trusted only by whoever loads `demo/capks.toml`.
//!
//! Made once with another program (OpenSSL, exponent 3), so that a demo card can
//! be personalised while the program runs and still answer a fresh random with a
//! signature that verifies.

/// Modulus and private exponent, hexadecimal.
pub(super) struct DemoKey {
    pub(super) modulus: &'static str,
    pub(super) private: &'static str,
}

/// The scheme key, 1152 bits; its public half is in `demo/capks.toml`.
pub(super) const SCHEME: DemoKey = DemoKey {
    modulus: concat!(
        "ce2c0f364b8c0edda54fdcda65f477ad9d0f0983fa912f03d9ff1bba22de3357",
        "b52097bf3717edd7f630c613a941093c5765d27cea97e44ab00d548654a6cc59",
        "78f7d98da796cd29c8e2d1409df4e0663abec270bfc2ffeaccdd28df4f16d547",
        "d547e29a956585f12e85e3774bd09f2bcc59e16998602a04a314fd5073be9938",
        "3be5bd0b84ff96eccc2bf20ae3f73aeb",
    ),
    private: concat!(
        "8972b4cedd0809e918dfe891994da51e68b4b102a70b74ad3bff67d16c94223a",
        "78c0652a24ba9e8ff975d96270d606283a43e1a89c6542dc755e38598dc4883b",
        "a5fa91091a6488c55393038c3bfb8523bc80efb3d25cd001b1bea9ecfd69ab42",
        "2c3ccf14cd456b8776dd90fb25deeff8d5660da46d1fae311ec2e726ff7003db",
        "940d6825d72ab8c45f0d03cf46294a9b",
    ),
};
/// The issuer's, 1024 bits.
pub(super) const ISSUER: DemoKey = DemoKey {
    modulus: concat!(
        "d00f93215b4651ac7b50551431bbaf8acd09bb65d4285f0d47a98ebb7b3f8294",
        "dd3130e2fee1e9a6179c74ba0955d1820c87a95cd71e07512e06cb5727d119a5",
        "8e2b60537842dba9ca7548c0ebf8865a2875a10790081ca2e447bd2e19fd1007",
        "d8dd33ef9ca541e87496aa6182352e9fe5167431c34f5e18be0b14d108c39de3",
    ),
    private: concat!(
        "8ab50cc0e7843672fce038b82127ca5c88b12799381aea08da7109d2522a570d",
        "e8cb75eca9ebf1196512f87c06393656b3051b933a1404e0c959dce4c5361117",
        "d53c2e8491e3b7a4e36f21c535a408a4f2e88b78c585e1006d9c026a22a62735",
        "1de884ab9e46397da758b725683cfa022f766805709299e921855106028926eb",
    ),
};
/// Every demo card's, 896 bits.
pub(super) const ICC: DemoKey = DemoKey {
    modulus: concat!(
        "ceb5ba7d7cca01a1e5e70cdb1fc22dded22eda6aa3fa278f81c60f99b8d3967a",
        "31efb0fb3688f3cf792bd1180cc50e280986f41d81569a057e718422d2d21d50",
        "b49cd2df9770709d4d8fd62d089f8e7fcae0bcd1e6fe4297117a37484163fb1c",
        "f7d05591a87408bc8e04c35852eaabcb",
    ),
    private: concat!(
        "89ce7c53a886abc143ef5de76a8173e9e174919c6d516fb5012eb51125e26451",
        "769fcb52245b4d34fb728b655dd8b41ab104a2be5639bc027565408d2b40e204",
        "ab62d9c637ee872cb7204133c0bd17ecf8cb027f3422313f89c2f24f2e89d056",
        "4b8ef336b7d3869261d57f6a130024ab",
    ),
};
