// The compiler comes here only where no libtorch stands before it; see .cargo/config.toml. A file that cannot be there stops
// it at once, with its name as the message; after an #error it would go on for a hundred thousand lines.
#include "libtorch is missing: run `make setup`, which fetches it, or set LIBTORCH to the folder of a libtorch 2.4.0 of your own"
