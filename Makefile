# SPDX-License-Identifier: BSD-2-Clause
# Only calls tools/ and meson; the build itself is meson.build.
all:
	@tools/setup build
	@ninja -C build --quiet

demo: all
	@tools/demo

test:
	@tools/setup test
	@tools/test

bench: all
	@tools/bench

install: all
	@meson install -C build

clean:
	@rm -rf build build-asan

.PHONY: all demo test bench install clean
