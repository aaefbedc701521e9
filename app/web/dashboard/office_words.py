"""Words of the plain pages: one's own password, accounts and audit. Chinese first."""

from __future__ import annotations

OFFICE_TABLE: dict[str, tuple[str, str]] = {
    # one's own password
    "own_password": ("更改口令", "Change password"),
    "own_password_due": (
        "口令由他人设定或已超过使用期限，更改后方可继续。",
        "The password was given by somebody else, or is too old. Choose another to go on.",
    ),
    "present_password": ("现口令", "Present password"),
    "new_password": ("新口令", "New password"),
    "new_password_again": ("再次输入新口令", "New password once more"),
    "password_rule": (
        "{shortest} 至 {longest} 个字符，不含账号名，不得全为数字、重复字符或连续按键，不得与现口令相同。",
        "{shortest} to {longest} characters, various, without the account's name; no number, no row of keys, not the present one.",
    ),
    "password_weak": ("新口令不符合要求。", "The new password does not meet the rule."),
    "password_differs": ("两次输入的新口令不一致。", "The new password was not the same twice."),
    "password_wrong": ("现口令不正确。", "The present password does not fit."),
    # accounts and audit
    "administration": ("账号与审计", "Accounts and audit"),
    "office_note_system": (
        "系统管理员建立、停用账号并设定口令；不授予角色，不查看审计记录。",
        "A system administrator makes and ends accounts and sets passwords; roles and the audit are others'.",
    ),
    "office_note_security": (
        "安全管理员授予角色、结束会话；不建立账号，不查看审计记录。",
        "A security administrator grants roles and ends sessions; accounts and the audit are others'.",
    ),
    "office_note_auditor": (
        "安全审计员查看、导出和核验审计记录；不建立账号，不授予角色。",
        "An auditor reads, exports and checks the audit; accounts and roles are others'.",
    ),
    "office_note_none": (
        "该账号尚未授予角色，请联系安全管理员。",
        "No role was granted to this account yet: ask a security administrator.",
    ),
    "offices_free": (
        "三员尚未配齐，未分立：有数据库权限的人员可执行全部账号操作。",
        "Not every office is held, so they do not bind yet: whoever has the database does all three.",
    ),
    "accounts": ("账号", "Accounts"),
    "role": ("角色", "Role"),
    "password_since": ("口令启用", "Password since"),
    "no_password": ("仅令牌", "tokens only"),
    "must_change": ("须更改", "must be changed"),
    "changed": ("最近变更", "Changed"),
    "audit": ("审计记录", "Audit"),
    "audit_note": ("最近 {days} 天，最新 {count} 条（共 {total} 条）", "The last {days} days, newest {count} of {total}"),
    "audit_at": ("时间", "When"),
    "audit_actor": ("操作者", "Who"),
    "audit_verb": ("操作", "Did what"),
    "audit_subject": ("对象", "To what"),
    "audit_detail": ("内容", "Detail"),
    "audit_of": ("账号或对象", "Account or subject"),
    "audit_days": ("天数", "Days"),
    "show": ("查询", "Show"),
    "audit_export": ("导出 CSV", "Export CSV"),
    "audit_check": ("核验完整性", "Check that it is whole"),
    "audit_head": ("链头（SHA-256）", "Head of the chain (SHA-256)"),
    "audit_head_known": ("此前记下的链头（可不填）", "A head that was written down earlier (optional)"),
    "audit_whole": ("核验通过：{entries} 条记录前后相连，未见改动。", "Whole: {entries} entries follow each other, none altered."),
    "audit_broken": ("核验未通过：{places}", "Not whole: {places}"),
    "audit_break": ("第 {number} 条与链不符", "entry {number} does not fit the chain"),
    "audit_head_gone": ("此前记下的链头不在链中", "the head that was written down is not in the chain"),
    "to_page": ("返回首页", "Back to the page"),
}
