# starling_program(TARGET): how a program that people run is linked, so that it starts quickly and keeps little in memory
# (docs/adr/0013-libraries-inside-the-programs.md has the figures). Debug builds and sanitizers link as tests do.
#
# With the libraries inside, their addresses and their layout are the program's: an address costs 24 bytes of file and memory to
# relocate, packed a bit; and the kernel maps 64 KiB around each page that is touched, so what runs at the start stands side by
# side, by startup_order.txt that tools/startup_order.py writes. Both take LLVM's linker; without it programs are larger and the
# same otherwise.
find_program(STARLING_LLD ld.lld PATHS /usr/lib/llvm-16/bin NO_DEFAULT_PATH)
set(STARLING_STARTUP_ORDER ${CMAKE_CURRENT_LIST_DIR}/startup_order.txt)

function(starling_program target)
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Release" OR STARLING_SANITIZE OR STARLING_FUZZ)
    return()
  endif()
  target_link_options(${target} PRIVATE -Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro -Wl,-z,now)
  if(NOT STARLING_STATIC)
    return()
  endif()
  target_link_options(${target} PRIVATE -static-libstdc++ -static-libgcc)
  if(STARLING_LLD)
    get_filename_component(folder ${STARLING_LLD} DIRECTORY)
    set_target_properties(${target} PROPERTIES STARLING_PROGRAM ON LINK_DEPENDS ${STARLING_STARTUP_ORDER})
    target_link_options(${target} PRIVATE -B${folder} -fuse-ld=lld -Wl,-z,pack-relative-relocs
                        -Wl,--symbol-ordering-file=${STARLING_STARTUP_ORDER} -Wl,--no-warn-symbol-ordering)
  endif()
endfunction()
