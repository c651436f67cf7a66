// snapshot-save and the setup of a migration, before and after 930e239d11: what the patch mends, and what it leaves behind.
